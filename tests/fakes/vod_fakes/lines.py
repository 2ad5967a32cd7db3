"""What is said in the demo library: subtitle lines in English and German."""

from __future__ import annotations

from vod_fakes.shapes import Subtitle

LANTERN_LINES = (
    "Hold it higher. The fish have to see it.",
    "They are not coming for the light.",
    "Then for what?",
    "For whoever holds it.",
    "<i>Row. Don't look down.</i>",
    "It is warm. Feel it.",
    "That was the last match.",
)
"""What is said in an episode of Lantern Sea; it lies inside the file."""

_KEEPER = (
    ("The lamp has been cold for a week.", "Die Lampe ist seit einer Woche kalt."),
    ("Nobody told me.", "Niemand hat es mir gesagt."),
    ("Who would have? You left.", "Wer hätte das tun sollen? Du bist gegangen."),
    ("I am here now.\r\nGive me the keys.", "Jetzt bin ich hier.\r\nGib mir die Schlüssel."),
    ("The door was never locked.", "Die Tür war nie verschlossen."),
    ("Then who switched it off?", "Wer hat sie dann ausgeschaltet?"),
    ("<i>That is what we ask the sea.</i>", "<i>Das fragen wir das Meer.</i>"),
)
_TIDE = (
    ("Look. Out there, behind the bar.", "Schau. Dort draußen, hinter der Sandbank."),
    ("There is no wreck on the chart.", "Auf der Karte ist kein Wrack."),
    ("There is one on the sand.", "Auf dem Sand liegt eins."),
    ("- We have two hours.\r\n- One and a half.", "- Wir haben zwei Stunden.\r\n- Anderthalb."),
    ("Her bell is missing.", "Die Glocke fehlt."),
    ("No. It is in your kitchen.", "Nein. Sie hängt in deiner Küche."),
    ("The water is coming back.", "Das Wasser kommt zurück."),
)
_FOG = (
    ("Three days. I can't see my own hand.", "Drei Tage. Ich sehe die eigene Hand nicht."),
    ("Sound the horn again.", "Gib noch einmal Signal."),
    ("It answered. Twice.", "Es hat geantwortet. Zweimal."),
    ("One ship can't answer twice.", "Ein Schiff kann nicht zweimal antworten."),
    ("Then there are two.", "Dann sind es zwei. Größer als unseres."),
    ("Or one that wants us to think so.", "Oder eins, das uns täuschen möchte."),
    ("Light the lamp. All of it.", "Zünde die Lampe an. Die ganze."),
)
_LIGHT = (
    ("There it is.", "Da ist es."),
    ("The last one.", "Die letzte."),
    ("You could stay, you know.", "Du könntest bleiben, weißt du."),
    ("Somebody has to mind the light.", "Jemand muss auf das Licht aufpassen."),
    ("<b>Somebody always does.</b>", "<b>Irgendwer tut es immer.</b>"),
    ("Good morning, harbor.", "Guten Morgen, Hafen."),
)
_ORCHARD = (
    ("Nothing grows here.", "Hier wächst nichts."),
    ("Nothing grew here. That is not the same.", "Hier wuchs nichts. Das ist nicht dasselbe."),
    ("Glass does not ripen.", "Glas wird nicht reif."),
    ("Have you ever waited?", "Hast du je gewartet, bis die Äpfel süß sind?"),
    ("Every winter.", "Jeden Winter. Über Jahre."),
    ("Then hold this up to the sun.", "Dann halte das hier in die Sonne."),
    ("It is heavy.", "Es ist schwer. Und schön."),
    ("It is an apple.", "Es ist ein Apfel. Für dich."),
)


def _pair(number: int, release: str, spoken: tuple[tuple[str, str], ...], *, german_encoding: str) -> list[Subtitle]:
    season, episode, tmdb_id = (1, number, 9001) if number else (0, 0, 9101)
    return [
        Subtitle(
            file_id=95_000 + 10 * number + offset,
            tmdb_id=tmdb_id,
            season=season,
            episode=episode,
            language=language,
            encoding=encoding,
            release=release,
            lines=tuple(line[offset] for line in spoken),
            downloads=400 - 100 * offset + number,
        )
        for offset, (language, encoding) in enumerate([("en", "utf-8"), ("de", german_encoding)])
    ]


# Two German files are in the encoding of another age: clients must find that out from the bytes.
SUBTITLES: tuple[Subtitle, ...] = (
    *_pair(1, "Harbor.Lights.S01E01.1080p.WEB-DL.H264-NOVA", _KEEPER, german_encoding="utf-8"),
    *_pair(2, "Harbor.Lights.S01E02.1080p.WEB-DL.H264-NOVA", _TIDE, german_encoding="utf-8-sig"),
    *_pair(3, "Harbor.Lights.S01E03.1080p.WEB-DL.H264-NOVA", _FOG, german_encoding="windows-1252"),
    *_pair(4, "Harbor.Lights.S01E04.1080p.WEB-DL.H264-NOVA", _LIGHT, german_encoding="utf-8"),
    *_pair(0, "The.Glass.Orchard.2023.1080p.WEB-DL.H264-NOVA", _ORCHARD, german_encoding="windows-1252"),
)
