"""`vod why`: which release was picked for an episode, what it was chosen from, and why."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vod_local import hints
from vod_local.api_client import ApiClient
from vod_local.folders import data_folder
from vod_local.keys import installation_keys
from vod_local.play import best_title
from vod_local.status import running_record

NOTHING_PICKED = 7
SHARES = (("health", 45), ("quality", 35), ("size", 15), ("consistency", 5))
TIERS = {
    "unverified": "not everything is known",
    "last_resort": "only if there is nothing better",
    "refused": "refused",
}


@dataclass(frozen=True, slots=True)
class WhyOptions:
    """What the command line says."""

    data: Path | None
    title: str
    episode: tuple[int, int]
    diff: tuple[int, int] | None = None
    """Places of two candidates that are to be compared."""


def main(options: WhyOptions) -> int:
    """Print the reasons; give the exit code."""
    return asyncio.run(why(options))


async def why(options: WhyOptions) -> int:
    """Print the pick in force and the candidates behind it, best first."""
    data = data_folder(options.data, os.environ)
    record = running_record(data)
    async with ApiClient(record.address, admin_key=installation_keys(data, os.environ)["VOD_ADMIN_KEY"]) as api:
        title = best_title(options.title, await api.titles(options.title))
        answer = await api.picks(title.series_id, *options.episode)
        if options.diff and max(options.diff) <= len(answer["candidates"]):
            first, second = (answer["candidates"][place - 1]["infohash"] for place in options.diff)
            told = await api.diff(title.series_id, *options.episode, first=first, second=second)
            print("\n".join(compared(told)))
            return 0
    season, episode = options.episode
    label = title.name if title.kind == "movie" else f"{title.name} S{season}E{episode}"
    if not answer["picks"] and answer["candidates"]:
        print(f"Nothing that was found for {label} can be played:")
        print("\n".join(_candidates(answer["candidates"], chosen="")))
        return NOTHING_PICKED
    if not answer["picks"]:
        play = hints.vod("play", data)
        print(f'Nothing was picked for {label} yet: {play} "{title.name}" S{season}E{episode} does.')
        return NOTHING_PICKED
    print("\n".join(explained(label, answer)))
    return 0


def explained(label: str, answer: Mapping[str, Any]) -> list[str]:
    """Put what the API says of an episode's picks into lines."""
    pick, *former = answer["picks"]
    lines = [f"{label}: {pick['title']}", f"  picked at {pick['pickedAt']}, file {pick['filePath']}"]
    if pick["replaced"]:
        lines.append(f"  not played any more, {pick['replacedBecause']}; nothing could take its place")
    lines += [_instead(one) for one in former if one["id"] == pick["replacesPickId"]]
    lines += ["", "chosen from, best first (points of 100; claims about swarms are checked in the race):"]
    return lines + _candidates(answer["candidates"], chosen=pick["infohash"])


def _candidates(candidates: Sequence[Mapping[str, Any]], *, chosen: str) -> list[str]:
    best = candidates[0]["score"] if candidates else {}
    placed = enumerate(candidates, start=1)
    return [line for place, one in placed for line in _candidate(place, one, best, chosen=chosen)]


def compared(answer: Mapping[str, Any]) -> list[str]:
    """Put what the API says of two candidates into lines."""
    return [
        answer["summary"],
        *(f"{one['points']:+6.1f} {one['name']}: {one['reason']}" for one in answer["differences"]),
    ]


def _instead(former: Mapping[str, Any]) -> str:
    because = former["replacedBecause"]
    return f"  in place of {former['title']}" + (f", {because}" if because else "")


def _candidate(place: int, one: Mapping[str, Any], best: Mapping[str, float], *, chosen: str) -> list[str]:
    mark = "→" if one["infohash"] == chosen else " "
    tier = f"  [{TIERS[one['tier']]}]" if one["tier"] in TIERS else ""
    lines = [f"{mark}{place:3}. {points(one['score']):5.1f}  {one['title']}{tier}"]
    lines += [f"          {reason}" for reason in one["reasons"]]
    if place > 1 and one["tier"] != "refused" and (told := differences(one["score"], best)):
        lines.append(f"          against the first: {told}")
    return lines


def points(score: Mapping[str, float]) -> float:
    """Return the points of 100 that a score's components give."""
    return sum(share * score[name] for name, share in SHARES)


def differences(score: Mapping[str, float], other: Mapping[str, float]) -> str:
    """Say what a score gains and loses against another, the largest difference first."""
    gaps = [(share * (score[name] - other[name]), name) for name, share in SHARES]
    told = sorted((gap for gap in gaps if abs(gap[0]) >= 0.1), key=lambda gap: -abs(gap[0]))
    return ", ".join(f"{gap:+.1f} {name}" for gap, name in told)
