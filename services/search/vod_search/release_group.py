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
AFTER_DASH = re.compile(r"-(?P<space>\s?)(?P<group>(?:[A-Za-z]\.){2,8}[A-Za-z]|[^\W_][\w!&$+@]{0,29})$")
LAST_WORD = re.compile(r"(?:^|[\s,])([^\W_][\w.-]{1,29})$")
IN_BRACKETS = re.compile(r"[\[(]([^\[\]()]{1,80})[\])]$")
NUMBERED = pattern(r"(?<![^\W_])(?:S\d{1,4}(?:E\d+)?|\d{1,2}x\d\d)")
NOT_A_GROUP = pattern(
    r"^(?:\d+|s\d+(?:e\d+)?|e?\d+|dl|hd|ray|rip|rom|dts|ma|es|ex|sub(?:s|bed)?|audio|bit|part|end|final|"
    r"complete|dvd\w*|web\w*|\d+(?:bit|fps|ch)|"
    r"\d{3,4}[pi]|hdtv\w*|[xh]\.?26[45]|hevc|avc|av1|xvid|divx|aac[\d.]*|flac|ac3|mkv|mp4|avi|english|german|"
    r"french|ita|eng|fra|ger|multi|proper|repack|"
    r"ddp?[\d.]*|hdr\d*|sdr|dv|remux|uhd|bd\w*|blu\w*|batch|uncensored|dub(?:bed)?|raw|multisub\w*|mp3|pack|"
    r"special|sample)$"
)


def leading_group(text: str) -> str:
    """Return the bracket with the group's name that *text* begins with, as written; empty if there is none."""
    match = LEAD.match(text)
    if not match or len(match[0]) == len(text):
        return ""
    inside = match[1].strip()
    if text[0] == "(" and (inside.isdigit() or not text[len(match[0]) :].startswith((" ", "_", "["))):
        return ""  # a title such as "(500) …"
    return "" if TECH.fullmatch(inside) or inside.isdigit() else match[0]


def release_group(text: str, lead: str) -> str:
    """Return the group that *text* names behind its last dash, in its last bracket or in its *lead*ing one."""
    if lead:
        return lead[1:-1].strip()
    tail = REPOST.sub("", text)
    while (tag := TAG_BEHIND.search(tail)) and not TECH.search(tag[1]):
        tail = REPOST.sub("", tail[: tag.start()])
    dash = AFTER_DASH.search(tail)
    if dash and not NOT_A_GROUP.match(dash["group"]) and _is_behind_tags(tail, dash):
        return dash["group"]
    bracket = IN_BRACKETS.search(REPOST.sub("", text))
    word = LAST_WORD.search(bracket[1].strip()) if bracket else None
    if not bracket or not word or NOT_A_GROUP.match(word[1]) or TECH.search(word[1]):
        return ""
    is_alone = word[1] == bracket[1].strip()
    return word[1] if is_alone or TECH.search(bracket[1]) else ""


def _is_behind_tags(tail: str, dash: re.Match[str]) -> bool:
    """Tell "…x264-GROUP" from a dash inside a title or before an episode's name."""
    if TECH.search(tail, 0, dash.start()):
        return True
    return not dash["space"] and NUMBERED.search(tail, 0, dash.start()) is not None
