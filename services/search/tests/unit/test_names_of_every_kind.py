# ruff: noqa: E501, RUF001  one line per name is easier to read; some are Cyrillic
"""Release names as they are met, of every kind, with what a person reads in them. All titles and groups are made up.

Conventions: a season or episode that is not named is empty; a running number of anime is absolute; what is a year, a
picture size, a channel count or a part of the title is no number at all.
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
    # Scene and P2P, one episode
    ("Salt.Road.S03E07.1080p.WEB.h264-CINDER", T, se(3, 7, title="Salt Road", source=WEB, height=1080, group="CINDER")),
    ("salt.road.s03e07.720p.hdtv.x264-cinder", ANY, se(3, 7, title="salt road", source=TV, group="cinder")),
    ("Salt Road S03E07 The Ferry 1080p NF WEB-DL DDP5.1 Atmos H 264-CINDER", T, se(3, 7, title="Salt Road", group="CINDER")),
    ("Salt.Road.S03E07.The.Ferry.2160p.AMZN.WEB-DL.DDP5.1.HDR.HEVC-CINDER", T, se(3, 7, height=2160, hdr=True, codec=Codec.HEVC)),
    ("Salt.Road.S03E07.2160p.DSNP.WEB-DL.DDP5.1.DV.HDR.H.265-CINDER", T, se(3, 7, dolby_vision=True, dolby_vision_fallback=True)),
    ("Salt.Road.S03E07.1080p.iP.WEB-DL.AAC2.0.HFR.H.264-CINDER", T, se(3, 7, source=WEB, group="CINDER")),
    ("Salt.Road.S03E07.1080p.MAX.WEBRip.DD5.1.x264-CINDER", T, se(3, 7, source=RIP)),
    ("Salt.Road.S03E07.Part.Two.1080p.WEB.H264-CINDER", T, se(3, 7)),
    ("Salt.Road.S03E07.Chapter.12.1080p.WEB.H264-CINDER", T, se(3, 7)),
    ("Salt.Road.S03E07.50-50.1080p.WEB.H264-CINDER", T, se(3, 7)),
    ("Salt.Road.S03E07.911.1080p.WEB.H264-CINDER", T, se(3, 7)),
    ("Salt.Road.S03E07.PROPER.REPACK.1080p.WEB.H264-CINDER", T, se(3, 7, version=2)),
    ("Salt.Road.S03E07.INTERNAL.XviD-CINDER", T, se(3, 7, codec=Codec.MPEG4, group="CINDER")),
    ("Salt.Road.S2024E05.1080p.WEB.H264-CINDER", T, se(2024, 5)),
    ("Salt.Road.S01E1045.1080p.WEB.H264-CINDER", T, se(1, 1045)),
    ("Salt.Road.S00E05.The.Making.Of.1080p.WEB", T, se(0, 5)),
    ("Salt.Road.2019.S03E07.1080p.WEB.H264-CINDER", T, se(3, 7, title="Salt Road", year=2019)),
    ("Salt.Road.US.S03E07.1080p.WEB.H264-CINDER", T, se(3, 7, title="Salt Road US")),
    ("Salt Road (2019) - S03E07 - The Ferry (1080p AMZN WEB-DL x265 Skipper)", T, se(3, 7, year=2019, group="Skipper")),
    ("Salt Road - 3x07 - The Ferry.mkv", T, se(3, 7, title="Salt Road")),
    ("Salt_Road.3x07.The_Ferry.HDTV.XviD-CINDER", T, se(3, 7, title="Salt Road")),
    ("salt.road.307.hdtv-cinder", T, se(3, 7)),
    ("Salt.Road.1207.HDTV.x264-CINDER", T, se(12, 7)),
    ("Salt Road S03 E07 1080p", T, se(3, 7)),
    ("Salt Road S3 Ep7 (1080p)", T, se(3, 7)),
    ("Salt Road Season 3 Episode 7 The Ferry 1080p", T, se(3, 7, title="Salt Road")),
    ("Salt Road - Season 3, Episode 07", T, se(3, 7)),
    ("Salt Road [S03E07] [1080p] [WEB]", T, se(3, 7)),
    ("Salt Road (S03E07) 720p", T, se(3, 7)),
    ("[S03E07] Salt Road 720p", T, se(3, 7, title="Salt Road")),
    ("Salt Road Episode 5 1080p WEB", T, {"episodes": (5,), "title": "Salt Road"}),
    ("Salt.Road.E05.1080p.WEB-DL", T, {"episodes": (5,)}),
    ("Salt Road Ep. 05 HDTV", T, {"episodes": (5,)}),
    ("Salt Road 03E07 720p", T, se(3, 7)),
    ("Salt.Road.S03E07v2.1080p.WEB", T, se(3, 7, version=2)),
    ("Salt Road s03.e07 720p", T, se(3, 7)),
    ("Salt Road Episode No. 5 720p", T, {"episodes": (5,)}),
    ("Salt Road Episode #3.7", T, se(3, 7)),
    ("Salt.Road.2016x07.The.Ferry.1080p", T, se(2016, 7)),
    # Several episodes
    ("Salt.Road.S03E07E08.1080p.WEB.H264-CINDER", T, se(3, 7, 8)),
    ("Salt.Road.S03E07-E09.1080p.WEB.H264-CINDER", T, se(3, 7, 8, 9)),
    ("Salt.Road.S03E07-08.1080p.WEB.H264-CINDER", T, se(3, 7, 8)),
    ("Salt Road S03E07+08 720p", T, se(3, 7, 8)),
    ("Salt Road S03E07 & S03E08 720p", T, se(3, 7, 8)),
    ("Salt Road S03E07 - S03E10 720p", T, se(3, 7, 8, 9, 10)),
    ("Salt Road 3x07-3x09 720p", T, se(3, 7, 8, 9)),
    ("Salt Road 3x07-09 720p", T, se(3, 7, 8, 9)),
    ("Salt Road S03E01 to E10 720p", T, se(3, *range(1, 11))),
    ("Salt Road Season 3 Episodes 1-4 720p", T, se(3, 1, 2, 3, 4)),
    ("Salt Road S03 (E01-E04) 720p", T, se(3, 1, 2, 3, 4)),
    ("Salt.Road.S03E01-E10.1080p.WEB-DL.10bit-CINDER", T, se(3, *range(1, 11), bit_depth=10)),
    ("Salt.Road.S03E07E09.1080p.WEB.H264-CINDER", T, se(3, 7, 8, 9)),
    ("Salt.Road.S03E07-1080p", T, se(3, 7, height=1080)),
    # Whole seasons and series
    ("Salt.Road.S03.1080p.BluRay.x264-CINDER", T, pack(3, title="Salt Road", source=DISC)),
    ("Salt.Road.S03.COMPLETE.720p.WEB.x264-CINDER", T, pack(3)),
    ("Salt Road Season 3 (1080p BluRay x265 Skipper)", T, pack(3, title="Salt Road", group="Skipper")),
    ("Salt Road Complete Season 3 720p", T, pack(3, title="Salt Road")),
    ("Salt Road The Complete Third Season 720p", T, pack(3, title="Salt Road")),
    ("Salt Road S01-S05 1080p BluRay", T, pack(1, 2, 3, 4, 5)),
    ("Salt Road S01-05 1080p BluRay", T, pack(1, 2, 3, 4, 5)),
    ("Salt Road Seasons 1 to 5 DVDRip", T, pack(1, 2, 3, 4, 5, source=DVD)),
    ("Salt Road Season 1-5 + Specials 1080p", T, pack(1, 2, 3, 4, 5)),
    ("Salt Road S01 S02 S03 720p", T, pack(1, 2, 3)),
    ("Salt Road S01+S02 720p", T, pack(1, 2)),
    ("Salt Road (2019) Season 1 S01 (1080p BluRay x265 HEVC 10bit AAC 5.1 Skipper)", T, pack(1, year=2019, title="Salt Road")),
    ("Salt Road The Complete Series 1080p BluRay", T, pack(title="Salt Road")),
    ("Salt.Road.Complete.Series.S01-S04.DVDRip", T, pack(1, 2, 3, 4)),
    ("Salt.Road.S03.REMUX.1080p.BluRay.AVC.DTS-HD.MA.5.1-CINDER", T, pack(3, source=Source.REMUX, group="CINDER")),
    ("Salt.Road.S03D02.DVDR-CINDER", T, se(3)),
    # Seasons in other languages
    ("Salzweg.S03E07.German.DL.1080p.WEB.h264-CINDER", T, se(3, 7, title="Salzweg", languages=("de",), multi_audio=True)),
    ("Salzweg Staffel 3 Folge 7 German", T, se(3, 7, title="Salzweg")),
    ("Salzweg Staffel 3 Komplett German 720p", T, pack(3, title="Salzweg")),
    ("Route du Sel Saison 3 Episode 7 FRENCH 720p", T, se(3, 7, title="Route du Sel")),
    ("Route.du.Sel.S03E07.FRENCH.1080p.WEB.H264-CINDER", T, se(3, 7, title="Route du Sel", languages=("fr",))),
    ("Route du Sel Saison 3 COMPLETE MULTi 1080p", T, pack(3, title="Route du Sel", multi_audio=True)),
    ("Ruta de la Sal Temporada 3 Capitulo 7 [HDTV]", T, se(3, 7, title="Ruta de la Sal")),
    ("Ruta de la Sal - Temporada 3 [HDTV][Cap.307][Castellano]", T, se(3, 7, title="Ruta de la Sal")),
    ("Ruta de la Sal - Temporada 3 [HDTV][Cap.307_309][Castellano]", T, se(3, 7, 8, 9)),
    ("Ruta de la Sal T03E07 1080p", T, se(3, 7, title="Ruta de la Sal")),
    ("Estrada do Sal 3ª Temporada Episódio 7 Dublado", T, se(3, 7, title="Estrada do Sal")),
    ("Estrada do Sal 3ª Temporada Completa 720p", T, pack(3, title="Estrada do Sal")),
    ("Via del Sale Stagione 3 Episodio 7 ITA", T, se(3, 7, title="Via del Sale")),
    ("Via.del.Sale.S03e07.iTA.ENG.1080p.WEBMux.x264-CINDER", T, se(3, 7, title="Via del Sale")),
    ("Via del Sale - Stagione 3 (2019) [COMPLETA] ITA 1080p", T, pack(3, title="Via del Sale")),
    ("Solny szlak Sezon 3 Odcinek 7 PL 720p", T, se(3, 7, title="Solny szlak")),
    ("Zoutweg Seizoen 3 Aflevering 7 NL 720p", T, se(3, 7, title="Zoutweg")),
    ("Saltvägen Säsong 3 Avsnitt 7 720p", T, se(3, 7, title="Saltvägen")),
    ("Tuz Yolu 7. Bölüm 1080p WEB-DL", T, {"episodes": (7,), "title": "Tuz Yolu"}),
    ("Tuz Yolu 3. Sezon 7. Bölüm 1080p", T, se(3, 7, title="Tuz Yolu")),
    ("Соляной путь (3 сезон: 1-10 серия из 10) 1080p", T, se(3, *range(1, 11), title="Соляной путь")),
    ("Соляной путь 3 сезон 7 серия 1080p", T, se(3, 7, title="Соляной путь")),
    ("Соляной путь / Salt Road / Сезон: 3 / Серии: 1-8 из 10 [2019, WEB-DL 1080p]", T, se(3, *range(1, 9), title="Salt Road")),
    ("Соляной путь. Сезон №3. Серия №7.avi", T, se(3, 7)),
    ("Соляной путь [S03] (2019) WEB-DL 1080p", T, pack(3, title="Соляной путь")),
    ("Соляной путь [03х01-04] (2019) HDTVRip", T, se(3, 1, 2, 3, 4)),
    ("Sóút 3. évad 7. rész 720p", T, se(3, 7, title="Sóút")),
    # Daily shows
    ("Late.Lamp.2024.03.05.Ada.Marsh.1080p.WEB.H264-CINDER", T, on(2024, 3, 5, title="Late Lamp")),
    ("Late Lamp 2024-03-05 720p HDTV", T, on(2024, 3, 5, title="Late Lamp")),
    ("late_lamp_2024_03_05_hdtv", T, on(2024, 3, 5)),
    ("Late Lamp (2024-03-05) [1080p]", T, on(2024, 3, 5, title="Late Lamp")),
    ("Late.Lamp.20240305.720p.WEB", T, on(2024, 3, 5)),
    ("Late Lamp 05.03.2024 HDTV", T, on(2024, 3, 5)),
    ("Late Lamp 5th March 2024 720p WEB h264-CINDER", T, on(2024, 3, 5, title="Late Lamp")),
    ("Late Lamp - March 5, 2024 - 720p", T, on(2024, 3, 5, title="Late Lamp")),
    ("Late Lamp 05 Mar 2024 HDTV x264", T, on(2024, 3, 5)),
    ("Late.Lamp.24.03.05.1080p.WEB", T, on(2024, 3, 5)),
    ("Late.Lamp.2024.03.05.S09E44.720p.WEB", T, se(9, 44, air_date=date(2024, 3, 5))),
    # Anime
    ("[Tide-Subs] Koi no Hama - 07 [1080p].mkv", A, run(7, title="Koi no Hama", group="Tide-Subs")),
    ("[Tide-Subs] Koi no Hama - 07 (1080p) [8C1F0B2A].mkv", A, run(7)),
    ("[Tide-Subs] Koi no Hama - 1071 (720p)", A, run(1071, title="Koi no Hama")),
    ("[Tide-Subs] Koi no Hama - 07v3 [1080p][HEVC 10bit]", A, run(7, version=3, codec=Codec.HEVC, bit_depth=10)),
    ("[Tide-Subs] Koi no Hama S2 - 07 [1080p]", A, se(2, 7, title="Koi no Hama")),
    ("[Tide-Subs] Koi no Hama 2nd Season - 07 [1080p]", A, se(2, 7)),
    ("[Tide-Subs] Koi no Hama Season 2 - 07 [1080p]", A, se(2, 7, title="Koi no Hama")),
    ("[Tide-Subs] Koi no Hama S02E07 [1080p][WEB]", A, se(2, 7)),
    ("[Tide-Subs] Koi no Hama - S02E07v2 [1080p]", A, se(2, 7, version=2)),
    ("[Tide-Subs] Koi no Hama - 07-08 [1080p]", A, run(7, 8)),
    ("[Tide-Subs] Koi no Hama - 01-12 [BD 1080p][Batch]", A, run(*range(1, 13))),
    ("[Tide-Subs] Koi no Hama (01-12) [1080p] (Batch)", A, run(*range(1, 13), title="Koi no Hama")),
    ("[Tide-Subs] Koi no Hama [Batch] [1080p]", A, {"season_pack": True, "title": "Koi no Hama"}),
    ("[Tide-Subs] Koi no Hama [01~12][BD 1080p HEVC]", A, run(*range(1, 13))),
    ("[Tide-Subs] Koi no Hama 07 [720p]", A, run(7, title="Koi no Hama")),
    ("[Tide_Subs]_Koi_no_Hama_-_07_(1280x720_x264)", A, run(7, title="Koi no Hama", height=720)),
    ("[Tide-Subs] Koi no Hama - 07 - The Shore [1080p]", A, run(7, title="Koi no Hama")),
    ("[Tide-Subs] Koi no Hama - 07 END [1080p]", A, run(7)),
    ("[Tide-Subs] Koi no Hama - 07.5 [1080p]", A, {}),
    ("[Tide-Subs] Koi no Hama - OVA [1080p]", A, {}),
    ("[Tide-Subs] 86 Lanterns - 07 [1080p]", A, run(7, title="86 Lanterns")),
    ("[Tide-Subs] Lantern 100 - 07 [1080p]", A, run(7, title="Lantern 100")),
    ("[Tide-Subs] Koi no Hama! - 07 [1080p]", A, run(7, title="Koi no Hama!")),
    ("[Tide-Subs] Re-Hama - 07 [1080p]", A, run(7, title="Re-Hama")),
    ("[Tide-Subs] Koi no Hama - Episode 07 [1080p]", A, run(7)),
    ("[Tide-Subs] Koi no Hama E07 [1080p]", A, {"episodes": (7,)}),
    ("Koi no Hama - 07 (1080p WEB-DL) [Tide]", A, run(7, title="Koi no Hama")),
    ("Koi.no.Hama.S02E07.1080p.CR.WEB-DL.AAC2.0.H.264-TIDE", A, se(2, 7, group="TIDE")),
    ("Koi.no.Hama.E07.1080p.WEB.x264", A, {"episodes": (7,)}),
    ("Koi no Hama Episode 7 English Subbed 720p", A, {"episodes": (7,)}),
    ("[Tide] Koi no Hama (2019) - 07 [1080p]", A, run(7, title="Koi no Hama", year=2019)),
    ("[Tide] Koi no Hama - S02 - 07 [1080p]", A, se(2, 7, title="Koi no Hama")),
    ("[Tide] Koi no Hama II - 07 [1080p]", A, run(7, title="Koi no Hama II")),
    ("[Tide] Koi no Hama Part 2 - 07 [1080p]", A, run(7)),
    ("[Tide][Koi no Hama][07][1080p][HEVC]", A, run(7, title="Koi no Hama")),
    ("[潮字幕组] 恋の浜 / Koi no Hama - 07 [1080p][简体]", A, run(7, title="Koi no Hama")),
    ("【潮字幕组】★7月新番[恋の浜][07][1080P][GB]", A, run(7, title="恋の浜")),
    ("[潮字幕组] 恋の浜 第二季 第07话 [1080p]", A, se(2, 7, title="恋の浜")),
    ("[潮字幕组] 恋の浜 [01-12 合集] [1080p]", A, run(*range(1, 13))),
    ("[潮字幕组] 恋の浜 第01-12話 [1080p]", A, run(*range(1, 13))),
    ("[Tide] Koi no Hama S01+S02+OVA [BD 1080p]", A, pack(1, 2)),
    ("[Tide] Koi no Hama S01 1080p BDRip 10 bits x265-TIDE", A, pack(1, source=DISC, bit_depth=10)),
    ("[Tide] Koi no Hama S01 (BD 1080p HEVC Opus) [Dual-Audio]", A, pack(1, multi_audio=True)),
    ("[Tide] Koi no Hama - 1x07 [1080p]", A, se(1, 7)),
    ("Koi no Hama S21 1071 1080p", A, {"seasons": (21,), "absolutes": (1071,)}),
    # Parts and short series
    ("Paper Harbor Part 2 1080p WEB", T, {"episodes": (2,), "title": "Paper Harbor"}),
    ("Paper.Harbor.Part.II.1080p.WEB", T, {"episodes": (2,), "title": "Paper Harbor"}),
    ("Paper.Harbor.1of3.The.Mill.720p.HDTV", T, {"episodes": (1,), "title": "Paper Harbor"}),
    ("Paper Harbor (2 of 3) 720p", T, {"episodes": (2,), "title": "Paper Harbor"}),
    ("Paper.Harbor.Series.2.1of4.The.Mill.HDTV", T, se(2, 1, title="Paper Harbor")),
    ("Paper.Harbor.02.FRENCH.DVDRip.XviD-CINDER", T, {"episodes": (2,), "title": "Paper Harbor"}),
    # Titles that look like numbers
    ("1952.S01E02.1080p.WEB.H264-CINDER", T, se(1, 2, title="1952")),
    ("24.Lamps.S01E02.1080p.WEB", T, se(1, 2, title="24 Lamps")),
    ("9-1-1.Harbor.S01E02.1080p.WEB", T, se(1, 2, title="9-1-1 Harbor")),
    ("The.100.Lamps.S01E02.1080p.WEB", T, se(1, 2, title="The 100 Lamps")),
    ("Room.104.S01E02.1080p.WEB", T, se(1, 2, title="Room 104")),
    ("Harbor.4400.2021.S01E02.1080p.WEB", T, se(1, 2, title="Harbor 4400", year=2021)),
    ("3Lamps.S01E02.1080p.WEB", T, se(1, 2, title="3Lamps")),
    ("S.W.E.L.L.S01E02.1080p.WEB", T, se(1, 2, title="S W E L L")),
    ("Lamp.no.5.S01E02.1080p.WEB", T, se(1, 2, title="Lamp no 5")),
    # Films
    ("The.Paper.Mill.2021.1080p.BluRay.x264-CINDER", M, film("The Paper Mill", 2021, source=DISC, group="CINDER")),
    ("The Paper Mill (2021) 2160p UHD BluRay REMUX DV HDR10 HEVC TrueHD 7.1-CINDER", M, film("The Paper Mill", 2021, source=Source.REMUX)),
    ("The.Paper.Mill.2021.2160p.WEB-DL.DDP5.1.Atmos.DV.HDR10Plus.H.265-CINDER", M, film("The Paper Mill", 2021, hdr=True, dolby_vision=True)),
    ("The Paper Mill [2021] [1080p] [WEBRip] [5.1] [lamps.example]", M, film("The Paper Mill", 2021, source=RIP)),
    ("Lamp.Runner.2049.2017.1080p.BluRay.x264-CINDER", M, film("Lamp Runner 2049", 2017)),
    ("1917.Bells.2019.1080p.WEB", M, film("1917 Bells", 2019)),
    ("2012.2009.1080p.BluRay.x264-CINDER", M, film("2012", 2009)),
    ("300.Bells.2006.720p.BluRay", M, film("300 Bells", 2006)),
    ("Lamps.8.2.1963.DVDRip", M, film("Lamps 8 2", 1963, source=DVD)),
    ("Harbor.13.1995.1080p.BluRay", M, film("Harbor 13", 1995)),
    ("The.Paper.Mill.Part.2.2021.1080p.WEB", M, film("The Paper Mill Part 2", 2021)),
    ("The.Paper.Mill.1995.Remastered.1080p.BluRay.x265.10bit-CINDER", M, film("The Paper Mill", 1995, bit_depth=10)),
    ("The.Paper.Mill.DIRECTORS.CUT.1995.1080p.BluRay", M, film("The Paper Mill", 1995)),
    ("The.Paper.Mill.2021.iTALiAN.MULTi.1080p.WEB-DL.x264-CINDER", M, film("The Paper Mill", 2021, languages=("it",), multi_audio=True)),
    ("La.Papeterie.2021.TRUEFRENCH.1080p.WEB.H264-CINDER", M, film("La Papeterie", 2021, languages=("fr",))),
    ("The.Paper.Mill.2021.HDCAM.x264-CINDER", M, film("The Paper Mill", 2021, source=Source.CAM)),
    ("The.Paper.Mill.2021.HDTS.1080p", M, film("The Paper Mill", 2021, source=Source.TELESYNC)),
    ("Бумажная мельница / The Paper Mill (2021) WEB-DL 1080p | D", M, film("The Paper Mill", 2021, source=WEB)),
    ("The Paper Mill 2021 1080p WEB x264 AAC - CINDER", M, film("The Paper Mill", 2021, group="CINDER")),
    # Groups
    ("Salt.Road.S03E07.1080p.WEB.H264-A-LAMP", T, se(3, 7, group="A-LAMP")),
    ("Salt.Road.S03E07.1080p.WEB.H264-LAMP[lamps.example]", T, se(3, 7, group="LAMP")),
    ("Salt Road S03E07 1080p WEB H264-LAMP [lamps example]", T, se(3, 7, group="LAMP")),
    ("Salt.Road.S03E07.1080p.WEB.H264-LAMP-xpost", T, se(3, 7, group="LAMP")),
    ("Salt.Road.S03E07.1080p.WEB-DL.x264-L4MP.mkv", T, se(3, 7, group="L4MP")),
    ("Salt.Road.S03E07.1080p.WEB-DL", T, se(3, 7, group="")),
    ("Salt Road S03E07 1080p WEB-DL DDP5 1 x264-LAMP.mp4", T, se(3, 7, group="LAMP")),
    # And further ones, which no rule was made for
    ("Gull.Point.S01E03.1080p.HULU.WEB-DL.DDP5.1.H.264-CINDER", T, se(1,3,title="Gull Point",source=WEB,group="CINDER")),
    ("Gull.Point.S01E03.720p.ATVP.WEBRip.x265-CINDER", T, se(1,3,source=RIP,codec=Codec.HEVC)),
    ("Gull.Point.S01E03.1080p.10bit.WEBRip.6CH.x265.HEVC-CINDER", T, se(1,3,bit_depth=10,group="CINDER")),
    ("Gull.Point.S01E03.480p.x264-mSD[lamps]", T, se(1,3,height=480,group="mSD")),
    ("Gull Point S01E03 1080p HEVC x265-MeGusta", T, se(1,3,group="MeGusta")),
    ("Gull.Point.S01E03.Episode.3.1080p.PCOK.WEB-DL.DDP5.1.x264-CINDER", T, se(1,3)),
    ("Gull.Point.S01E03.2160p.STAN.WEB-DL.DDP5.1.HLG.H.265-CINDER", T, se(1,3,hdr=True)),
    ("Gull.Point.S01E03.MULTi.1080p.WEB.x264-CINDER", T, se(1,3,multi_audio=True)),
    ("Gull.Point.S01E03.VOSTFR.720p.WEB-DL.x264-CINDER", T, se(1,3,title="Gull Point")),
    ("Gull.Point.S01E03.SUBFRENCH.720p.HDTV.x264-CINDER", T, se(1,3)),
    ("Gull.Point.S01E03.DUBBED.German.1080p.WEB.x264-CINDER", T, se(1,3)),
    ("Gull.Point.S01E03.NORDiC.1080p.WEB-DL.H.264-CINDER", T, se(1,3,title="Gull Point")),
    ("Gull.Point.AU.S05E10.HDTV.x264-CINDER", T, se(5,10)),
    ("Gull.Point.2x01.ITA.DLMux.x264-CINDER", T, se(2,1,title="Gull Point")),
    ("Gull Point 1x01-04 [DVDRip]", T, se(1,1,2,3,4)),
    ("Gull Point - Temporada 1 Completa [1080p]", T, pack(1,title="Gull Point")),
    ("Gull Point - Saison 01 - Integrale FRENCH", T, pack(1)),
    ("Gull Point Staffel 1-3 German 1080p", T, pack(1,2,3)),
    ("Gull.Point.S01.Part.1.1080p.NF.WEB-DL-CINDER", T, pack(1, title="Gull Point")),
    ("Gull.Point.S02.Complete.1080p.AMZN.WEB-DL.DDP5.1.H.264-CINDER", T, pack(2,title="Gull Point",group="CINDER")),
    ("Gull Point S01-S03 Complete 720p WEB-DL", T, pack(1,2,3)),
    ("Gull Point (Season 1-4) 1080p", T, pack(1,2,3,4)),
    ("Gull Point - Seasons 01-04 + Movie", T, pack(1,2,3,4)),
    ("Gull Point S1-4 1080p", T, pack(1,2,3,4)),
    ("Gull Point Season One 1080p", T, pack(1)),
    ("Gull Point S01 Extras 1080p", T, {"seasons":(1,),"season_pack":True,"extra":True}),
    ("Gull.Point.S01E03.Sample.mkv", T, se(1,3)),
    ("Gull Point E01-E16 1080p NF WEB-DL", T, {"episodes":tuple(range(1,17)),"title":"Gull Point"}),
    ("Gull.Point.E16.END.240310.1080p.H264-CINDER", T, {"episodes":(16,)}),
    ("갈매기 곶.Gull.Point.S01E03.1080p.WEB-DL", T, se(1,3,title="Gull Point")),
    ("海鸥角.Gull.Point.S01E03.2024.1080p.WEB-DL.H264-CINDER", T, se(1,3,title="Gull Point")),
    ("海鸥角.第03集.1080p", T, {"absolutes":(3,),"title":"海鸥角"}),
    ("海鸥角 全36集 1080p", T, {"season_pack":True}),
    ("Gull Point EP03 1080p WEB-DL", T, {"episodes":(3,)}),
    ("Gull.Point.Ep03.1080p.WEB-DL", T, {"episodes":(3,)}),
    ("The.Gull.Show.2024.11.21.1080p.WEB.h264-CINDER", T, on(2024,11,21,title="The Gull Show")),
    ("Gull.News.2024.11.21.720p.PCOK.WEB-DL.AAC2.0.H.264-CINDER", T, on(2024,11,21)),
    ("Gull Open 2024 Round 3 Day 2 1080p HDTV", T, {"year": 2024}),
    ("[Shoal] Natsu no Umi - 12 (BD 1920x1080 x264 FLAC) [ABCDEF12].mkv", A, run(12,title="Natsu no Umi",height=1080,source=DISC)),
    ("[Shoal] Natsu no Umi - 12v0 (720p)", A, run(12)),
    ("[Shoal-Raws] Natsu no Umi - 12 (AT-X 1280x720 x264 AAC).mp4", A, run(12,height=720)),
    ("[Shoal] Natsu no Umi - Movie [1080p]", A, {}),
    ("[Shoal] Natsu no Umi Movie 02 - The Lamp [1080p]", A, run(2)),
    ("[Shoal] Natsu no Umi Specials - 03 [1080p]", A, run(3)),
    ("[Shoal] Natsu no Umi - S00E03 [1080p]", A, se(0,3)),
    ("[Shoal] Natsu no Umi 3rd Season - 24 [1080p][Multiple Subtitle]", A, se(3,24)),
    ("[Shoal] Natsu no Umi (Season 3) - 24 [1080p]", A, se(3,24,title="Natsu no Umi")),
    ("[Shoal] Natsu no Umi 12-13 [480p]", A, run(12,13)),
    ("[Shoal] Natsu no Umi - 001-150 [480p]", A, run(*range(1,151))),
    ("[Shoal] Natsu no Umi - 1155 - 1080p WEB H.264 -NanDesuKa (CR)", A, run(1155)),
    ("[Shoal] Natsu no Umi Final Season - 05 [1080p]", A, run(5)),
    ("[Shoal] 3-gatsu no Umi - 05 [1080p]", A, run(5,title="3-gatsu no Umi")),
    ("[Shoal] Umi 2.0 - 05 [1080p]", A, run(5)),
    ("[Shoal] Natsu no Umi Episode 05 [1080p]", A, {"episodes":(5,)}),
    ("Natsu no Umi - 05 VOSTFR 1080p", A, run(5,title="Natsu no Umi")),
    ("Natsu no Umi S01E05 VOSTFR 1080p WEB x264 -Shoal (CR)", A, se(1,5,title="Natsu no Umi")),
    ("[Shoal] Natsu no Umi - S01E05 - Lamp [WEB 1080p x264 AAC] [1A2B3C4D]", A, se(1,5,title="Natsu no Umi")),
    ("[NC-Raws] 夏の海 / Natsu no Umi - 05 (B-Global 1920x1080 HEVC AAC MKV)", A, run(5,title="Natsu no Umi")),
    ("[字幕组][夏之海][Natsu no Umi][05][1080P][简日双语]", A, run(5,title="Natsu no Umi")),
    ("[字幕组] 夏之海 S2 [05][WebRip 1080p]", A, se(2,5)),
    ("Mill.House.2008.REMASTERED.1080p.BluRay.REMUX.AVC.DTS-HD.MA.5.1-CINDER", M, film("Mill House",2008,source=Source.REMUX,group="CINDER")),
    ("Mill House 2008 1080p BluRay x264 YIFY", M, film("Mill House",2008,group="YIFY")),
    ("Mill House (2008) [BluRay] [1080p] [YTS.MX]", M, film("Mill House",2008,source=DISC)),
    ("Mill.House.2008.UNRATED.720p.BRRip.XviD.AC3-CINDER", M, film("Mill House",2008,source=DISC)),
    ("Mill.House.2.2011.1080p.WEB-DL", M, film("Mill House 2",2011)),
    ("Mill.House.III.2014.MULTi.COMPLETE.BLURAY-CINDER", M, film("Mill House III",2014)),
    ("Mill House 2008 DVDSCR x264", M, film("Mill House",2008,source=Source.SCREENER)),
    ("Mill.House.2008.TELESYNC.x264", M, film("Mill House",2008,source=Source.TELESYNC)),
    ("Mill.House.2008.NEW.HDTC.1080p", M, film("Mill House",2008,source=Source.TELECINE)),
    ("Das.Muehlenhaus.2008.German.AC3.DL.1080p.BluRay.x265-CINDER", M, film("Das Muehlenhaus",2008,languages=("de",))),
    ("La.Casa.del.Mulino.2008.iTA-ENG.Bluray.1080p.x264-CINDER", M, film("La Casa del Mulino",2008)),
    ("Mill House [2008] IMAX 2160p DSNP WEB-DL x265 10bit HDR DDP5.1 Atmos-CINDER", M, film("Mill House",2008,hdr=True,bit_depth=10)),
    ("1408.2007.DC.1080p.BluRay", M, film("1408",2007)),
    ("11.22.63.Lamps.2016.1080p.WEB", M, film("11 22 63 Lamps",2016)),
    ("Se7en.Lamps.1995.1080p", M, film("Se7en Lamps",1995)),
    ("Mill.House.S01E03.1080p.WEB.H264-CINDER.part1.rar", T, se(1,3)),
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


def test_there_are_many() -> None:
    assert len({name for name, _, _ in NAMES}) == len(NAMES) >= 150
