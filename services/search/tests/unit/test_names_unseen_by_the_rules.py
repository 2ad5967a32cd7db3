# ruff: noqa: E501  one line per name is easier to read; some are Cyrillic
"""More release names, written down after the rules were made, to see whether these are general: nine in ten fitted at once.

The conventions are those of `test_names_of_every_kind`.
"""

from dataclasses import asdict
from datetime import date
from typing import Any

import pytest

from vod_search.domain import Codec, Kind, ReleaseTraits, Source
from vod_search.release_name import parse

T, A, M, ANY = Kind.SERIES, Kind.ANIME, Kind.MOVIE, None
WEB, RIP, TV, DISC, DVD = Source.WEB_DL, Source.WEBRIP, Source.HDTV, Source.BLURAY, Source.DVD


def se(season: int, *episodes: int, **more: Any) -> dict[str, Any]:
    return {"seasons": (season,), "episodes": episodes, **more}


def pack(*seasons: int, **more: Any) -> dict[str, Any]:
    return {"seasons": seasons, "season_pack": True, **more}


def run(*numbers: int, **more: Any) -> dict[str, Any]:
    return {"absolutes": numbers, **more}


def on(year: int, month: int, day: int, **more: Any) -> dict[str, Any]:
    return {"air_date": date(year, month, day), **more}


def film(title: str, year: int = 0, **more: Any) -> dict[str, Any]:
    return {"title": title, "year": year, **more}


NAMES: list[tuple[str, Kind | None, dict[str, Any]]] = [
    ("Kelp.Forest.S02E11.720p.HEVC.x265-CINDER", T, se(2,11,height=720,codec=Codec.HEVC)),
    ("Kelp Forest S02E11 HDRip x264 - CINDER", T, se(2,11,source=RIP,group="CINDER")),
    ("Kelp.Forest.S02E11.PDTV.x264-CINDER", T, se(2,11,source=TV)),
    ("Kelp.Forest.S02E11.DSR.XviD-CINDER", T, se(2,11,source=TV)),
    ("Kelp.Forest.S02E11.SDTV.x264-CINDER", T, se(2,11,source=TV)),
    ("Kelp.Forest.S02E11.UHD.BluRay.2160p.TrueHD.7.1.HEVC.REMUX-CINDER", T, se(2,11,source=Source.REMUX,height=2160)),
    ("Kelp.Forest.S02E11.BDRip.1080p.10bit-CINDER", T, se(2,11,source=DISC,bit_depth=10)),
    ("Kelp.Forest.S02E11.1080p.BluRay.x264.DTS-HD.MA.5.1-CINDER", T, se(2,11,source=DISC,group="CINDER")),
    ("Kelp.Forest.S02E11.1080p.WEB-DL.DD+5.1.H.264-CINDER", T, se(2,11,source=WEB,group="CINDER")),
    ("Kelp.Forest.S02E11.1080i.HDTV.MPEG2.DD5.1-CINDER", T, se(2,11,source=TV,height=1080,codec=Codec.MPEG2)),
    ("Kelp.Forest.S02E11.4K.WEB-DL.HEVC-CINDER", T, se(2,11,height=2160)),
    ("Kelp Forest S02E11 [WEBRip 1080p] [x265]", T, se(2,11,source=RIP)),
    ("Kelp.Forest.S02E11.FiNAL.1080p.WEB.H264-CINDER", T, se(2,11)),
    ("Kelp.Forest.S02E11.REAL.PROPER.720p.HDTV.x264-CINDER", T, se(2,11,version=2)),
    ("Kelp.Forest.S02E11.RERIP.720p.HDTV.x264-CINDER", T, se(2,11,version=2)),
    ("Kelp.Forest.S02E11.Hi10P.1080p.BluRay-CINDER", T, se(2,11,hi10p=True)),
    ("Kelp.Forest.S02E11.2160p.DV.HEVC.WEB-DL-CINDER", T, se(2,11,dolby_vision=True,dolby_vision_fallback=False)),
    ("Kelp.Forest.S02E11.2160p.DoVi.HDR10.WEB-DL-CINDER", T, se(2,11,dolby_vision=True,dolby_vision_fallback=True)),
    ("Kelp.Forest.S02E11.HDR10+.2160p.WEB-DL-CINDER", T, se(2,11,hdr=True)),
    ("Kelp Forest 2023 S02E11 1080p WEBRip x265-KONTRAST", T, se(2,11,year=2023,title="Kelp Forest",group="KONTRAST")),
    ("kelp.forest.2023.s02e11.german.dl.1080p.web.h264-cinder", T, se(2,11,title="kelp forest",year=2023,multi_audio=True)),
    ("Kelp.Forest.S02E11E12.FINAL.1080p", T, se(2,11,12)),
    ("Kelp Forest S02E11-12 1080p", T, se(2,11,12)),
    ("Kelp Forest S02 EP11-EP12 1080p", T, se(2,11,12)),
    ("Kelp Forest - S02E11 & S02E12 [720p]", T, se(2,11,12)),
    ("Kelp.Forest.S02E01-S02E04.1080p", T, se(2,1,2,3,4)),
    ("Kelp Forest 2x11 2x12 HDTV", T, se(2,11,12)),
    ("Kelp.Forest.211-212.HDTV.XviD", T, se(2,11,12)),
    ("Kelp Forest S02 Disc 3 BluRay", T, se(2)),
    ("Kelp Forest S02 1080p BluRay Remux AVC FLAC 2.0", T, pack(2,source=Source.REMUX)),
    ("Kelp Forest S02 (BDRip 1080p HEVC FLAC)", T, pack(2,source=DISC)),
    ("Kelp Forest Series 2 720p HDTV", T, pack(2,title="Kelp Forest")),
    ("Kelp Forest - Season 02 [1080p x265]", T, pack(2,title="Kelp Forest")),
    ("Kelp Forest [Season 2] [Complete]", T, pack(2,title="Kelp Forest")),
    ("Kelp Forest S01 - S04 720p", T, pack(1,2,3,4)),
    ("Kelp Forest (2023) S01-S02 Complete", T, pack(1,2,year=2023)),
    ("Kelp Forest Seasons 1, 2 and 3", T, pack(1,2,3)),
    ("Kelp Forest Complete Collection 1080p", T, {"season_pack":True,"title":"Kelp Forest"}),
    ("Kelp Forest All Seasons 1-4", T, pack(1,2,3,4,title="Kelp Forest")),
    ("Kelp.Forest.INTEGRALE.MULTi.1080p", T, {"season_pack":True}),
    ("Kelp Forest 2. Staffel 11. Folge", T, se(2,11)),
    ("Kelp Forest Staffel 2 German 1080p", T, pack(2)),
    ("Bosque de Kelp 2x11 [HDTV 720p][Castellano]", T, se(2,11,title="Bosque de Kelp")),
    ("Bosque de Kelp T2 E11 1080p", T, se(2,11)),
    ("Bosque de Kelp Temp.2 Cap.11", T, se(2,11)),
    ("Foret de Kelp S02 EP11 FRENCH HDTV", T, se(2,11,title="Foret de Kelp")),
    ("Foret de Kelp - Saison 2 - 11 - VF", T, se(2,11)),
    ("Las Wodorostow S02E11 PL 1080p", T, se(2,11,title="Las Wodorostow")),
    ("Las Wodorostow sezon 2 odc. 11", T, se(2,11)),
    ("Лес (2 сезон 11 серия) 1080p", T, se(2,11)),
    ("Лес 2x11 1080p", T, se(2,11)),
    ("Лес (сезон 2, серия 11)", T, se(2,11)),
    ("Лес / Kelp Forest [S02E01-11] (2023) WEB-DL 1080p", T, se(2,*range(1,12),title="Kelp Forest")),
    ("Kelp Forest 2. Sezon 11. Bölüm", T, se(2,11)),
    ("켈프 숲 E11.240310.1080p", T, {"episodes":(11,)}),
    ("켈프 숲.E11.240310.1080p-NEXT", T, {"episodes":(11,),"group":"NEXT"}),
    ("The.Kelp.Report.2024.03.10.Guest.Name.720p.WEB", T, on(2024,3,10,title="The Kelp Report")),
    ("The Kelp Report 10 March 2024", T, on(2024,3,10,title="The Kelp Report")),
    ("The.Kelp.Report.10.03.2024.HDTV", T, on(2024,3,10)),
    ("The.Kelp.Report.2024-03-10.1080p", T, on(2024,3,10)),
    ("The_Kelp_Report_2024_03_10", T, on(2024,3,10)),
    ("The Kelp Report March 10th 2024 HDTV", T, on(2024,3,10)),
    ("[Reef] Sango no Mori - 03 [WEB 1080p x265 10bit][Dual Audio]", A, run(3,multi_audio=True)),
    ("[Reef] Sango no Mori - S03E11 - 35 [1080p]", A, se(3,11,absolutes=(35,))),
    ("[Reef] Sango no Mori #03 [720p]", A, {"episodes":(3,)}),
    ("[Reef] Sango no Mori Ep03 [720p]", A, {"episodes":(3,)}),
    ("[Reef] Sango no Mori 1-12 [BD]", A, run(*range(1,13))),
    ("[Reef] Sango no Mori (TV) - 03 [1080p]", A, run(3)),
    ("[Reef] Sango no Mori 2 - 03 [1080p]", A, run(3,title="Sango no Mori 2")),
    ("[Reef] Sango no Mori 2nd Season 03 [1080p]", A, se(2,3)),
    ("[Reef] Sango no Mori S2 03v2 [1080p]", A, se(2,3,version=2)),
    ("[Reef] Sango no Mori Season 2 (01-12) [1080p]", A, {"seasons":(2,),"episodes":tuple(range(1,13))}),
    ("[Reef] Sango no Mori S2 (01-12) [1080p] [Batch]", A, {"seasons":(2,),"episodes":tuple(range(1,13))}),
    ("[Reef] Sango no Mori - 03 (2024) [1080p]", A, run(3)),
    ("(Reef) Sango no Mori - 03 [720p]", A, run(3)),
    ("Reef_Sango_no_Mori_03_[720p]", A, run(3)),
    ("Sango.no.Mori.03.1080p.WEB-DL", A, run(3)),
    ("Sango no Mori - 003 - The Coral.mkv", A, run(3,title="Sango no Mori")),
    ("【Reef】Sango no Mori 第3話「珊瑚」 1080p", A, run(3)),
    ("[Reef&Shoal] Sango no Mori - 03 [1080p]", A, run(3,group="Reef&Shoal")),
    ("[Reef] Mob Mori 100 - 03 [1080p]", A, run(3,title="Mob Mori 100")),
    ("[Reef] Sango no Mori - 03 [h264][1080p]", A, run(3)),
    ("[Reef] Sango no Mori 03 VOSTFR [720p]", A, run(3)),
    ("[Reef] Sango no Mori - NCED [720p]", A, {"extra":True}),
    ("Coral.Sky.2022.2160p.MA.WEB-DL.DTS-HD.MA.5.1.DV.H.265-CINDER", M, film("Coral Sky",2022,dolby_vision=True)),
    ("Coral Sky 2022 HYBRID 1080p BluRay REMUX AVC", M, film("Coral Sky",2022,source=Source.REMUX)),
    ("Coral.Sky.2022.HC.HDRip.XviD.AC3", M, film("Coral Sky",2022,source=RIP)),
    ("Coral.Sky.2022.V2.HDCAM.c1nem4.x264-SUNSCREEN", M, film("Coral Sky",2022,source=Source.CAM,version=2)),
    ("Coral.Sky.2022.HQ-CAM.x264", M, film("Coral Sky",2022,source=Source.CAM)),
    ("Coral.Sky.2022.WORKPRINT.x264", M, film("Coral Sky",2022,source=Source.SCREENER)),
    ("Coral.Sky.2022.R5.DVDRip", M, film("Coral Sky",2022)),
    ("Coral.Sky.2022.1080p.BluRay.HINDI.DUB", M, film("Coral Sky",2022,languages=("hi",))),
    ("Coral Sky II (2024) 1080p WEB-DL", M, film("Coral Sky II",2024)),
    ("Coral Sky 2 - The Return (2024) [1080p]", M, film("Coral Sky 2 - The Return",2024)),
    ("Coral.Sky.Vol.2.2024.1080p", M, film("Coral Sky Vol 2",2024)),
    ("10.000.Reefs.2008.1080p.BluRay", M, film("10 000 Reefs",2008)),
    ("2001.A.Reef.Odyssey.1968.1080p", M, film("2001 A Reef Odyssey",1968)),
    ("Coral_Sky_2022_1080p_BluRay_x264", M, film("Coral Sky",2022)),
    ("Coral Sky.2022.1080p.mkv", M, film("Coral Sky",2022)),
    ("coral sky 1080p 2022", M, film("coral sky",2022)),
    ("Kelp Forest 011 S02E11", T, se(2, 11, absolutes=(11,), title="Kelp Forest")),
    ("[Reef] Sango no Mori - 001-003 - S01E01-E03 [1080p]", A, se(1, 1, 2, 3, absolutes=(1, 2, 3))),
    ("Kelp Forest 1-3 Seasons DVDRip", T, pack(1, 2, 3)),
    ("Kelp.Forest.E1-2.1080p", T, {"episodes": (1, 2)}),
    ("Kelp.Forest.S02.11.mkv", T, se(2, 11)),
    ("/tv/Kelp Forest (2020)/Season 02/11.mkv", T, se(2, 11)),
    ("Kelp Forest 01of06 DVDRip", T, {"episodes": (1,)}),
    ("Kelp.Forest.Chapter.One.720p.WEB", T, {"episodes": (1,)}),
    ("Kelp Forest 2024.03.10 S02E11", T, se(2, 11, air_date=date(2024, 3, 10))),
    ("Marsh.House.S04E02.1080p.BluRay.DDP5.1.x265.10bit-GalaxyRG265", T, se(4,2,group="GalaxyRG265")),
    ("Marsh.House.S04E02.WEBRip.x264-ION10", T, se(4,2,source=RIP,group="ION10")),
    ("Marsh House S04E02 480p x264-[lamps.example].mkv", T, se(4,2)),
    ("Marsh.House.S04E02.1080p.AMZN.WEBRip.DDP5.1.x264-NTb[rartv]", T, se(4,2,group="NTb")),
    ("Marsh House (2020) S04E02 (1080p AMZN WEB-DL x265 HEVC 10bit DDP 5.1 Vyndros)", T, se(4,2,year=2020,group="Vyndros")),
    ("Marsh.House.(2020).S04E02.1080p", T, se(4,2,year=2020,title="Marsh House")),
    ("Marsh House - S04E02 - The Road WEBDL-1080p", T, se(4,2,source=WEB,height=1080)),
    ("Marsh House - S04E02 - The Road HDTV-720p", T, se(4,2,source=TV,height=720)),
    ("Marsh House - S04E02 - The Road Bluray-1080p Remux", T, se(4,2,source=Source.REMUX)),
    ("Marsh House - 4x02 - The Road [Bluray-1080p][DTS 5.1][x264]-CINDER", T, se(4,2,source=DISC,group="CINDER")),
    ("Marsh.House.S04E02.The.Road.AAC2.0.1080p.WEBRip.x264-PSA", T, se(4,2,source=RIP,group="PSA")),
    ("Marsh.House.S04E02.1080p.x265-ELiTE", T, se(4,2,group="ELiTE")),
    ("Marsh.House.S04E02.Xvid-AFG[TGx]", T, se(4,2,group="AFG")),
    ("Marsh House S04E02 HDTV x264-KILLERS[ettv]", T, se(4,2,group="KILLERS")),
    ("Marsh House S04E02 WEB x264-PHOENiX [eztv]", T, se(4,2,group="PHOENiX")),
    ("Marsh House S04E02 720p WEB H264-GLHF [eztv.re].mkv", T, se(4,2,group="GLHF")),
    ("[ www.Lamps.com ] - Marsh.House.S04E02.HDTV.x264-LOL.mp4", T, se(4,2,title="Marsh House",group="LOL")),
    ("Marsh.House.S04E02.SWESUB.720p.WEB-DL", T, se(4,2)),
    ("Marsh.House.S04E02.NLSUBBED.1080p.WEB.x264-CINDER", T, se(4,2)),
    ("Marsh.House.S04E02.KOR.1080p.WEB-DL", T, se(4,2,languages=("ko",))),
    ("Marsh.House.S04E02.JAPANESE.1080p.WEBRip", T, se(4,2,languages=("ja",))),
    ("Marsh.House.S04E02.1080p.WEB-DL.Rus.Eng", T, se(4,2,languages=("en","ru"))),
    ("Marsh House S04E02 ITA ENG 1080p WEB-DL", T, se(4,2,multi_audio=False)),
    ("Marsh.House.S04E02.DL.German.Dubbed.1080p.WEB.h264", T, se(4,2,languages=("de",))),
    ("Marsh.House.S04.E02.WEB-DL.1080p-Kyle", T, se(4,2,group="Kyle")),
    ("Marsh.House.s04e02.2021.WEB-DL.1080p.ExKinoRay.mkv", T, se(4,2)),
    ("Marsh.House.4x02.iTALiAN.DLMux.x264-NovaRip", T, se(4,2,languages=("it",))),
    ("Marsh House Season 4 Complete 720p WEB-DL x264 [i_c]", T, pack(4)),
    ("Marsh House Season 4 S04 Complete 1080p", T, pack(4,title="Marsh House")),
    ("Marsh House - Complete Season 4", T, pack(4,title="Marsh House")),
    ("Marsh House 4th Season 1080p", T, pack(4,title="Marsh House")),
    ("Marsh House S04E01-13 Complete 1080p", T, se(4,*range(1,14))),
    ("Marsh House S04 (Complete) (1080p)", T, pack(4)),
    ("Marsh.House.S04.NORDIC.1080p.WEB-DL", T, pack(4)),
    ("Marsh House S04 1-10 720p", T, se(4,*range(1,11))),
    ("Marsh House saison 4 VF [E01-E10]", T, se(4,*range(1,11))),
    ("Marsh House S04E02 Part 1 1080p", T, se(4,2)),
    ("Marsh House 402 720p HDTV", T, se(4,2)),
    ("Marsh.House.EP02.4K.WEB-DL.H265.AAC-CINDER", T, {"episodes":(2,),"height":2160}),
    ("Marsh.House.2023.EP02.1080p.WEB-DL", T, {"episodes":(2,),"year":2023,"title":"Marsh House"}),
    ("Marsh House 2023 S01 EP 02 1080p", T, se(1,2,year=2023)),
    ("沼屋.Marsh.House.2023.S01.Complete.1080p.WEB-DL", T, pack(1,title="Marsh House")),
    ("The.Marsh.Tonight.2023.12.14.Name.Other.1080p.HEVC.x265-MeGusta", T, on(2023,12,14,group="MeGusta")),
    ("The Marsh Tonight 2023 12 14 Name 720p WEB H264-JEBAITED", T, on(2023,12,14,title="The Marsh Tonight")),
    ("Marsh.Daily.2023.12.14.(1080p).WEB", T, on(2023,12,14)),
    ("Marsh Daily - 2023-12-14 - Guest", T, on(2023,12,14,title="Marsh Daily")),
    ("[EMBER] Numa no Ie - 02 [1080p] [HEVC WEBRip] (Swamp House)", A, run(2,group="EMBER")),
    ("[ASW] Numa no Ie - 02 [1080p HEVC x265 10Bit][AAC]", A, run(2)),
    ("[Judas] Numa no Ie - S04E02", A, se(4,2)),
    ("[Judas] Numa no Ie (Swamp House) (Season 4) [1080p][HEVC x265 10bit][Multi-Subs] (Batch)", A, pack(4)),
    ("[Erai-raws] Numa no Ie - 02 [1080p][Multiple Subtitle][ENG][POR-BR]", A, run(2)),
    ("[Erai-raws] Numa no Ie 4th Season - 01 ~ 12 [1080p]", A, se(4,*range(1,13))),
    ("[Anime Time] Numa no Ie (Season 01+02+Movie) [BD] [Dual Audio][1080p]", A, pack(1,2)),
    ("[Cleo] Numa no Ie | Swamp House (Dual Audio 10bit BD1080p x265)", A, {"title":"Swamp House"}),
    ("[DB] Numa no Ie | Swamp House [Dual Audio 10bit BD1080p][HEVC-x265]", A, {"title":"Numa no Ie"}),
    ("[SubsPlease] Numa no Ie (01-12) (1080p) [Batch]", A, run(*range(1,13))),
    ("[SubsPlease] Numa no Ie - 1080 (1080p) [ABCDEF01].mkv", A, run(1080)),
    ("[SubsPlease] Numa no Ie - 720 (480p)", A, run(720)),
    ("[HorribleSubs] Numa no Ie - 02.mkv", A, run(2)),
    ("[Commie] Numa no Ie - 02v2 [BD 720p AAC] [12345678].mkv", A, run(2,version=2)),
    ("[Coalgirls]_Numa_no_Ie_02_(1920x1080_Blu-Ray_FLAC)_[12345678].mkv", A, run(2)),
    ("[Kametsu] Numa no Ie - Volume 02 [BD 1080p]", A, {}),
    ("Numa no Ie E02 1080p VRV WEB-DL", A, {"episodes":(2,)}),
    ("Numa.no.Ie.S01E02.DUAL.1080p.NF.WEB-DL-CINDER", A, se(1,2,multi_audio=True)),
    ("[LoliHouse] Numa no Ie - 02 [WebRip 1080p HEVC-10bit AAC][简繁内封字幕]", A, run(2)),
    ("[喵萌奶茶&LoliHouse] 沼の家 / Numa no Ie - 02 [WebRip 1080p]", A, run(2,title="Numa no Ie")),
    ("[Lilith-Raws] 沼の家 / Numa no Ie - 02 [Baha][WEB-DL][1080p][AVC AAC][CHT][MP4]", A, run(2,title="Numa no Ie")),
    ("[桜都字幕组] 沼の家 第二季 / Numa no Ie S2 [02][1080p][简体内嵌]", A, se(2,2)),
    ("Marsh.House.The.Movie.2019.1080p.WEB-DL", M, film("Marsh House The Movie",2019)),
    ("Marsh House 3D 2019 1080p HSBS BluRay", M, film("Marsh House 3D",2019)),
    ("Marsh House (2019) (1080p BluRay x265 HEVC 10bit AAC 5.1 Tigole) [QxR]", M, film("Marsh House",2019,group="QxR")),
    ("Marsh.House.2019.iNTERNAL.1080p.WEB.x264", M, film("Marsh House",2019)),
    ("Marsh.House.2019.Criterion.1080p.BluRay.x265-CINDER", M, film("Marsh House",2019)),
    ("Marsh House 2019 1080p BrRip x264 AC3", M, film("Marsh House",2019,source=DISC)),
    ("Marsh.House.2019.DC.2160p.UHD.BluRay.x265.HDR.DD+7.1-CINDER", M, film("Marsh House",2019,hdr=True)),
    ("Marsh House 2019.avi", M, film("Marsh House",2019)),
    ("Marsh House (2019)", M, film("Marsh House",2019)),
    ("1984.Marsh.1956.DVDRip", M, film("1984 Marsh",1956)),
    ("Marsh.21.2008.720p", M, film("Marsh 21",2008)),
    ("Marsh.House.2019.TC.x264", M, film("Marsh House",2019,source=Source.TELECINE)),
    ("11.22.63.S01E02.1080p.WEB.H264-CINDER", T, se(1, 2, title="11 22 63")),
    ("Kelp.Report.24.03.05.S09E44.720p.WEB", T, se(9, 44, air_date=date(2024, 3, 5))),
    ("kel-240618_1007-1022-", ANY, {}),
]  # fmt: skip


def stated(traits: ReleaseTraits, names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in asdict(traits).items() if name in names}


@pytest.mark.parametrize(("name", "kind", "expected"), NAMES, ids=[name for name, _, _ in NAMES])
def test_a_name_says_what_a_person_reads_in_it(name: str, kind: Kind | None, expected: dict[str, Any]) -> None:
    title = expected.get("title")
    numbers: dict[str, Any] = {"seasons": (), "episodes": (), "absolutes": (), "season_pack": False, "air_date": None}
    wanted = numbers | {key: value for key, value in expected.items() if key != "title"}

    traits = parse(name, kind)

    assert stated(traits, set(wanted)) == wanted
    assert title is None or title in traits.titles
