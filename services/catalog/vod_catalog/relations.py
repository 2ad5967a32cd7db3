"""Rules of erengy/anime-relations (CC0): which entry an episode belongs to that was counted on from another entry."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

_ID = r"(\d+|\?|~)"
_RULE = re.compile(
    rf"- {_ID}\|{_ID}\|{_ID}:(\d+)(?:-(\d+|\?))? -> {_ID}\|{_ID}\|{_ID}:(\d+)(?:-(\d+|\?))?(!)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class EntryEpisode:
    """An episode as MyAnimeList counts it: number *episode* of entry *entry*."""

    entry: int
    episode: int

    @property
    def ref(self) -> str:
        return f"mal:anime:{self.entry}:{self.episode}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Episodes *first* to *last* (None: open) of *source* are those of *target* from *start* on."""

    source: int
    first: int
    last: int | None
    target: int
    start: int

    def moves(self, episode: int) -> bool:
        return self.first <= episode and (self.last is None or episode <= self.last)


class Relations:
    """All rules, asked forwards and backwards."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_source: Mapping[int, list[Rule]] = defaultdict(list)
        self._by_target: Mapping[int, list[Rule]] = defaultdict(list)
        for rule in rules:
            self._by_source[rule.source].append(rule)
            if rule.source != rule.target:
                self._by_target[rule.target].append(rule)

    def redirect(self, asked: EntryEpisode) -> EntryEpisode:
        """Return where an episode belongs; the first rule that matches, and one hop only."""
        for rule in self._by_source.get(asked.entry, ()):
            if rule.moves(asked.episode):
                return EntryEpisode(rule.target, rule.start + asked.episode - rule.first)
        return asked

    def continuous(self, episode: EntryEpisode) -> list[EntryEpisode]:
        """Return what else an episode is called, where others' numbers run on into its entry."""
        return [
            EntryEpisode(rule.source, rule.first + episode.episode - rule.start)
            for rule in self._by_target.get(episode.entry, ())
            if episode.episode >= rule.start and rule.moves(rule.first + episode.episode - rule.start)
        ]

    def targets(self, source: int) -> list[Rule]:
        """Return the rules by which an entry's numbers run on into others."""
        return [rule for rule in self._by_source.get(source, ()) if rule.target != source]


def parse_relations(text: str) -> Relations:
    """Read the rules (https://github.com/erengy/anime-relations); what has no MyAnimeList ids is left out."""
    rules: list[Rule] = []
    for line in text.splitlines():
        if match := _RULE.fullmatch(line.strip()):
            rules += _rules(match)
    return Relations(rules)


def shipped_relations() -> Relations:
    """Read the rules that came with this release."""
    return parse_relations((files("vod_catalog") / "data" / "anime-relations.txt").read_text(encoding="utf-8"))


def _rules(match: re.Match[str]) -> list[Rule]:
    source, _, _, first, last, target, _, _, start, _, also_itself = match.groups()
    target = source if target == "~" else target
    if "?" in (source, target):
        return []
    end = None if last == "?" else int(last or first)
    rule = Rule(int(source), int(first), end, int(target), int(start))
    # With "!" the rule also holds for the target itself, when somebody uses continuous numbers on it.
    return [rule, Rule(rule.target, rule.first, rule.last, rule.target, rule.start)] if also_itself else [rule]
