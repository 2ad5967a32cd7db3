"""What we know about languages: their names, and which letters and which legacy encodings they are written in."""

from collections.abc import Mapping
from dataclasses import dataclass

_WEST = ("cp1252", "iso8859-15", "cp850")
_CENTRAL = ("cp1250", "iso8859-2", "cp852")
_CYRILLIC = ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic")
_UKRAINIAN = ("cp1251", "koi8-u", "iso8859-5", "cp1125")
_BALTIC = ("cp1257", "iso8859-13", "iso8859-4")
_GREEK = ("cp1253", "iso8859-7", "cp737")
_TURKIC = ("cp1254", "iso8859-9", "cp857")
_HEBREW = ("cp1255", "iso8859-8", "cp862")
_ARABIC = ("cp1256", "iso8859-6")

_RUSSIAN_LETTERS = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"


@dataclass(frozen=True, slots=True)
class Language:
    """A language: what it calls itself, its lower-case letters beyond ASCII (the most frequent ones suffice), and the
    encodings that its subtitles came in before UTF-8, the most frequent first."""

    name: str
    letters: str = ""
    encodings: tuple[str, ...] = ()


LANGUAGES: Mapping[str, Language] = {
    "ar": Language("العربية", "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىأإآؤئء", _ARABIC),
    "az": Language("Azərbaycanca", "çəğıöşü", _TURKIC),
    "be": Language("Беларуская", "аоиетнрсвлкдмпзбгучжцшхфыьэюяйёіў", _CYRILLIC),
    "bg": Language("Български", "аоиетнрсвлкдпмзъбгуячщжцюшхйфь", _CYRILLIC),
    "bs": Language("Bosanski", "čćđšž", _CENTRAL),
    "ca": Language("Català", "àçèéíïòóúü·", _WEST),
    "cs": Language("Čeština", "áčďéěíňóřšťúůýž", _CENTRAL),
    "da": Language("Dansk", "æøåé", _WEST),
    "de": Language("Deutsch", "äöüß", _WEST),
    "el": Language("Ελληνικά", "αοιετσνηυρπκμλωςγδχθφβξζψάέήίόύώϊϋΐΰ", _GREEK),
    "en": Language("English", "éèïçñ", _WEST),
    "es": Language("Español", "áéíñóúü", _WEST),
    "et": Language("Eesti", "äõöüšž", (*_BALTIC, *_WEST)),
    "fa": Language("فارسی", "ابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیيكئأآء", _ARABIC),
    "fi": Language("Suomi", "äöå", _WEST),
    "fr": Language("Français", "éèêëàâçîïôùûœæü", _WEST),
    "he": Language("עברית", "אבגדהוזחטיכלמנסעפצקרשתםןךףץ", _HEBREW),
    "hr": Language("Hrvatski", "čćđšž", _CENTRAL),
    "hu": Language("Magyar", "áéíóöőúüű", _CENTRAL),
    "id": Language("Bahasa Indonesia", "é", _WEST),
    "is": Language("Íslenska", "áðéíóúýþæö", _WEST),
    "it": Language("Italiano", "àèéìòù", _WEST),
    "ja": Language("日本語", "", ("cp932", "euc-jp", "iso-2022-jp")),
    "ko": Language("한국어", "", ("cp949",)),
    "lt": Language("Lietuvių", "ąčęėįšųūž", _BALTIC),
    "lv": Language("Latviešu", "āčēģīķļņšūž", _BALTIC),
    "mk": Language("Македонски", "аоиетнрсвлкдпмзбгучжцшхфјѓќљњџѕ", _CYRILLIC),
    "ms": Language("Bahasa Melayu", "é", _WEST),
    "nl": Language("Nederlands", "éëïöüèáó", _WEST),
    "no": Language("Norsk", "æøåéò", _WEST),
    "pl": Language("Polski", "ąćęłńóśźż", _CENTRAL),
    "pt": Language("Português", "áâãàçéêíóôõúü", _WEST),
    "ro": Language("Română", "ăâîșțşţ", (*_CENTRAL, "iso8859-16")),
    "ru": Language("Русский", _RUSSIAN_LETTERS, _CYRILLIC),
    "sk": Language("Slovenčina", "áäčďéíĺľňóôŕšťúýž", _CENTRAL),
    "sl": Language("Slovenščina", "čšžćđ", _CENTRAL),
    "sq": Language("Shqip", "ëç", (*_WEST, *_CENTRAL)),
    "sr": Language("Srpski", "čćđšžаоиетнрсвлкдпмзбгучжцшхфјђћљњџ", ("cp1250", "cp1251", "iso8859-2", "iso8859-5")),
    "sv": Language("Svenska", "åäöé", _WEST),
    "th": Language("ไทย", "", ("cp874",)),
    "tr": Language("Türkçe", "çğıöşüâî", _TURKIC),
    "uk": Language("Українська", "оаинтвресілкудмпзяьбгчйїєхжшюцщфґ", _UKRAINIAN),
    "vi": Language("Tiếng Việt", "", ("cp1258",)),
    "zh": Language("中文", "", ("gb18030", "big5hkscs")),
}


def language_name(code: str) -> str:
    """Return what a language calls itself, for people; its code if we don't know."""
    return LANGUAGES[code].name if code in LANGUAGES else code


def language_of(word: str) -> str:
    """Return the language (ISO 639-1) that a code or a name means, empty if none: `de`, `ger`, `pt-br`, `german`."""
    word = word.lower()
    base = word.split("-")[0]
    if base in LANGUAGES and (base == word or len(word) <= 7):
        return base
    return _ELSEWHERE.get(word, "")


_ELSEWHERE = {
    other: code
    for code, others in {
        "ar": "ara arabic", "az": "aze azerbaijani", "be": "bel belarusian", "bg": "bul bulgarian", "bs": "bos bosnian",
        "ca": "cat catalan", "cs": "ces cze czech", "da": "dan danish", "de": "deu ger german", "el": "ell gre greek",
        "en": "eng english", "es": "spa spanish castilian", "et": "est estonian", "fa": "fas per persian farsi",
        "fi": "fin finnish", "fr": "fra fre french", "he": "heb hebrew", "hr": "hrv croatian", "hu": "hun hungarian",
        "id": "ind indonesian", "is": "isl ice icelandic", "it": "ita italian", "ja": "jpn japanese",
        "ko": "kor korean", "lt": "lit lithuanian", "lv": "lav latvian", "mk": "mkd mac macedonian",
        "ms": "msa may malay", "nl": "nld dut dutch", "no": "nor nob norwegian nb", "pl": "pol polish",
        "pt": "por portuguese brazilian", "ro": "ron rum romanian", "ru": "rus russian", "sk": "slk slo slovak",
        "sl": "slv slovenian", "sq": "sqi alb albanian", "sr": "srp serbian", "sv": "swe swedish", "th": "tha thai",
        "tr": "tur turkish", "uk": "ukr ukrainian", "vi": "vie vietnamese", "zh": "zho chi chs cht chinese",
    }.items()
    for other in others.split()
}  # fmt: skip
