"""Who made a release, as far as its name says."""

import re

from vod_search.terms import TECH, pattern

LEAD = re.compile(r"^[\[(]([^\[\]()]{1,60})[\])]")
TAG_BEHIND = re.compile(r"[\s._-]*[\[({]([^\[\](){}]{1,60})[\])}]$")
REPOST = pattern(
    r"(?:[-\s._]+(?:xpost|obfuscated|obfuscation|scrambled|postbot|repost|reup|nzbgeek|nzb4u|buymore|"
    r"asrequested|altern8|4p|4planet|"
    r"alternativetorequested|chamele0n|geros|getb8|iwanttheknowledge|rakuv\w*|whitere[vw]|wrteam|capthumb|"
    r"pre|sample|z0ids3n|altezachen|vtv|[a-z0-9]{1,10}\.com))+$"
)
# Circles whose members sign as well: "…-Member[CIRCLE]". Other brackets behind a group are addresses of sites.
CIRCLES = "(?:QxR|UTR|TAoE)"
IN_CIRCLE = re.compile(rf"[\s._\[(-]({CIRCLES})[\])]*$")
# What stands directly in front of the dash before a group: only then may its name have spaces or dots.
CODED = r"(?:[xh][\s.]?26[45]|hevc|avc|av1|xvid|mkv|mp4|atmos)"
AFTER_CODEC = pattern(rf"{CODED}-([A-Za-z]\w*(?:[ .][A-Za-z]\w*){{1,3}})$")
DIRECTLY_BEHIND = pattern(rf"(?<![^\W_])(?:{CODED}|10[\s-]?bits?)[\s.](\w{{2,20}})$")
WITH_DASH = pattern(
    rf"(?:(?:\.-|{CODED}\.)(?=[a-z0-9]{{1,5}}-)|{CODED}-(?=[a-z0-9]{{1,2}}-))(?P<first>[a-z0-9]{{1,5}})-(?P<second>[a-z0-9]{{2,15}})$"
)
SUBTITLED_BY = pattern(r"[\[(](?:soft|hard)subs?\s?\(([^()]{1,30})\)[\])]$")
AFTER_DASH = re.compile(r"-(?P<space>\s?)(?P<group>(?:[A-Za-z]\.){2,8}[A-Za-z]|[^\W_][\w!&$+@]{0,29})$")
LAST_WORD = re.compile(r"(?:^|[\s,])([^\W_][\w.-]{1,29})$")
IN_BRACKETS = re.compile(r"[\[(]([^\[\]()]{1,80})[\])]$")
BEHIND_BRACKETS = re.compile(r"[\[(]([^\[\]()]{1,80})[\])]\s([A-Za-z]\w{1,19})$")
BRACKETS_AROUND = re.compile(r"^[\[(]\s([^\[\]()]+?)\s[\])]$")
STRAY = re.compile(r"(?<=\w)[)\]]$")
NUMBERED = pattern(r"(?<![^\W_])(?:S\d{1,4}(?:E\d+)?|\d{1,2}x\d\d)")
NOT_A_GROUP = pattern(
    r"^(?:\d{1,4}|s\d+(?:e\d+)?|e?\d{1,4}|dl|hd|ray|rip|rom|dts|ma|es|ex|[em]?sub(?:s|bed)?|audio|bit|part|end|final|"
    r"complete|dvd(?:rip|r|5|9|scr|mux)?|web(?:-?dl|rip|hd|mux|cap)?|\d+(?:bit|fps|ch)|"
    r"\d{3,4}[pi]|hdtv\w*|[xh]\.?26[45]|hevc|avc|av1|xvid|divx|aac[\d.]*|flac|ac3|eac3|dd|opus|atmos|truehd|mkv|mp4|"
    r"avi|english|german|french|ita|eng|fra|ger|multi|proper|repack|internal|read|nfo|"
    r"ddp?[\d.]*|hdr\d*|sdr|dv|remux|uhd|bd(?:rip|mux|remux|\d+\w*)?|blu(?:ray)?|batch|uncensored|dub(?:bed)?|raw|multisub\w*|mp3|pack|"
    r"special|sample|10bits?|8bits?)$"
)


def leading_group(text: str) -> str:
    """Return the bracket with the group's name that *text* begins with, as written; empty if there is none."""
    match = LEAD.match(text)
    if not match or len(match[0]) == len(text):
        return ""
    inside = match[1].strip()
    if NUMBERED.match(inside):
        return ""
    if text[0] == "(" and (inside.isdigit() or not text[len(match[0]) :].startswith((" ", "_", "["))):
        return ""  # a title such as "(500) …"
    return "" if TECH.fullmatch(inside) or inside.isdigit() else match[0]


def release_group(text: str, lead: str) -> str:
    """Return the group that *text* names behind its last dash, in its last bracket or in its *lead*ing one."""
    if lead:
        return lead[1:-1].strip()
    tail = REPOST.sub("", BRACKETS_AROUND.sub(r"\1", text))
    if by := IN_CIRCLE.search(tail) or SUBTITLED_BY.search(tail):
        return by[1].strip()
    if found := _behind_codec(tail):
        return found
    without_tags = _without_tags(tail)
    dash = AFTER_DASH.search(without_tags)
    if dash and not NOT_A_GROUP.match(dash["group"]) and _is_behind_tags(without_tags, dash):
        return dash["group"]
    return _in_brackets(tail) or _last_word(without_tags)


def _without_tags(tail: str) -> str:
    """Take away the brackets that sites put behind a name."""
    while (tag := TAG_BEHIND.search(tail)) and not TECH.search(tag[1]):
        tail = REPOST.sub("", tail[: tag.start()])
    return tail if tail.count("(") == tail.count(")") else STRAY.sub("", tail)


def _behind_codec(tail: str) -> str:
    """Return a name of several words, or with a dash in it, where the codec in front shows that it is one name."""
    if words := AFTER_CODEC.search(tail):
        return "" if TECH.search(words[1]) or any(map(NOT_A_GROUP.match, re.split(r"[ .]", words[1]))) else words[1]
    dashed = WITH_DASH.search(tail)
    if dashed and TECH.search(tail, 0, dashed.end("first") - 1) and not _is_tag(dashed["first"]):
        return f"{dashed['first']}-{dashed['second']}"
    return ""


def _in_brackets(tail: str) -> str:
    if behind := BEHIND_BRACKETS.search(tail):
        return "" if _is_tag(behind[2]) or not TECH.search(behind[1]) else behind[2]
    bracket = IN_BRACKETS.search(tail)
    word = LAST_WORD.search(bracket[1].strip()) if bracket else None
    if not bracket or not word or _is_tag(word[1]):
        return ""
    is_alone = word[1] == bracket[1].strip()
    return word[1] if is_alone or TECH.search(bracket[1]) else ""


def _last_word(tail: str) -> str:
    """Return the word directly behind the codec, at the very end: "x265 GROUP"."""
    word = DIRECTLY_BEHIND.search(tail)
    return "" if not word or _is_tag(word[1]) else word[1]


def _is_tag(word: str) -> bool:
    return NOT_A_GROUP.match(word) is not None or TECH.search(word) is not None


def _is_behind_tags(tail: str, dash: re.Match[str]) -> bool:
    """Tell "…x264-GROUP" from a dash inside a title or before an episode's name."""
    if TECH.search(tail, 0, dash.start()):
        return True
    return not dash["space"] and NUMBERED.search(tail, 0, dash.start()) is not None
