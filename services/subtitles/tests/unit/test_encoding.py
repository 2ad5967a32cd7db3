"""From bytes to text."""
# ruff: noqa: RUF001  letters that look alike in several alphabets are what this is about

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_subtitles.encoding import decode
from vod_subtitles.languages import LANGUAGES
from vod_subtitles.unreadable import UnreadableSubtitleError

# Written by us; each says about "I don't know what to say" and something with the letters that matter.
SPOKEN = {
    "pl": "Zażółć gęślą jaźń. Nie wiem, co powiedzieć. Jesteś szalony!",
    "cs": "Příliš žluťoučký kůň. Nevím, co říct.",
    "hu": "Árvíztűrő tükörfúrógép. Nem tudom, mit mondjak.",
    "ru": "Привет! Как дела? Я не знаю, что сказать. ПОМОГИТЕ!",
    "uk": "Привіт! Як справи? Я не знаю, що сказати. Їжак.",
    "bg": "Здравей! Как си? Не знам какво да кажа.",
    "sr": "Ne znam šta da kažem. Čovek, đak, ćuti.",
    "sl": "Ne vem, kaj naj rečem. Življenje je čudež.",
    "el": "Τι κάνεις; Δεν ξέρω τι να πω. Καλημέρα σας.",
    "tr": "Nasılsın? Ne diyeceğimi bilmiyorum. İş güç şöyle.",
    "he": "שלום. אני לא יודע מה להגיד.",
    "ar": "مرحبا. لا أعرف ماذا أقول.",
    "lt": "Ąžuolas. Nežinau, ką pasakyti. Ačiū.",
    "lv": "Paldies. Es nezinu, ko teikt. Šķērsiela.",
    "et": "Ma ei tea, mida öelda. Õun ja jõulud.",
    "ro": "Nu ştiu ce să spun. Mulţumesc, câine.",
    "de": "Wer hätte das tun sollen? Größer als unseres.",
    "fr": "Ça va être déjà là. Où est-il, à bientôt.",
    "es": "¿Qué pasa? Mañana será otro día. ¡Sí!",
    "pt": "Não sei o que dizer. Ação, coração. É você?",
    "sv": "Jag vet inte vad jag ska säga. Åh, öl!",
    "da": "Jeg ved ikke, hvad jeg skal sige. Øl på æblet.",
    "ja": "こんにちは。何を言えばいいのか分かりません。",
    "ko": "안녕하세요. 무슨 말을 해야 할지 모르겠어요.",
    "zh": "你好。我不知道该说什么。今天天气很好，我们去公园吧。",
    "th": "สวัสดี ฉันไม่รู้จะพูดอะไร",
}


def srt(line: str) -> str:
    return "".join(f"{n}\r\n00:00:{n:02},000 --> 00:00:{n:02},900\r\n{line}\r\n\r\n" for n in range(1, 6))


def legacy() -> list[tuple[str, str]]:
    return [
        (language, encoding)
        for language, line in SPOKEN.items()
        for encoding in LANGUAGES[language].encodings
        if line.encode(encoding, errors="ignore").decode(encoding) == line
    ]


@pytest.mark.parametrize(("language", "encoding"), legacy())
def test_a_legacy_encoding_is_found_by_the_letters_of_the_language(language: str, encoding: str) -> None:
    text = srt(SPOKEN[language])

    assert decode(text.encode(encoding), language=language).text == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("language", SPOKEN)
def test_unicode_is_found_with_and_without_a_mark(language: str, encoding: str) -> None:
    text = srt(SPOKEN[language])

    decoded = decode(text.encode(encoding), language=language)

    assert (decoded.text, decoded.lossy) == (text, False)


@pytest.mark.parametrize("language", SPOKEN)
def test_a_stray_byte_does_not_turn_utf_8_into_something_else(language: str) -> None:
    text = srt(SPOKEN[language])
    at = text.index("\r\n\r\n")
    raw = text[:at].encode() + b"\x92" + text[at:].encode()

    decoded = decode(raw, language=language)

    assert decoded.text == f"{text[:at]}’{text[at:]}"
    assert decoded.lossy


@pytest.mark.parametrize("language", ["", "xx", "en"])
def test_the_wrong_language_does_not_keep_german_from_being_read(language: str) -> None:
    text = srt(SPOKEN["de"])

    assert decode(text.encode("cp1252"), language=language).text == text


def test_windows_quotation_marks_are_read() -> None:
    text = srt("„Größer“ – so … ‚gut’, 5 €")

    assert decode(text.encode("cp1252"), language="de").text == text


@given(st.binary(max_size=2000), st.sampled_from(["", *LANGUAGES]))
def test_any_bytes_are_text_or_refused(raw: bytes, language: str) -> None:
    try:
        text = decode(raw, language=language).text
    except UnreadableSubtitleError:
        return

    text.encode()  # no lone surrogates
