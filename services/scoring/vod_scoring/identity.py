"""The gates that keep the wrong title and the wrong episode out. They never guess."""

from collections.abc import Iterator, Sequence
from datetime import date

from vod_scoring.domain import Candidate, GateFailure, Traits, Wanted
from vod_scoring.policy import Policy
from vod_scoring.titles import has_season_behind, is_title, states_year


def identity_failures(candidate: Candidate, wanted: Wanted, policy: Policy) -> Iterator[GateFailure]:
    """Return why this is not, or may not be, the wanted title and episode."""
    traits = candidate.traits
    has_season = not wanted.movie and has_season_behind(traits.titles, wanted=wanted.titles)
    if not has_season and not is_title(traits.titles, year=traits.year, wanted=wanted.titles):
        yield GateFailure("TITLE_MISMATCH", _other_title(traits, wanted))
    yield from _year_failures(traits, wanted, policy)
    if wanted.movie:
        yield from _film_failures(traits)
    else:
        yield from _episode_failures(traits, wanted)
        if has_season and traits.absolutes and not traits.episodes:
            why = "the number may count from the season that the title names"
            yield GateFailure("AMBIGUOUS_NUMBERING", f"the name says {_stated(traits)}: {why}")


def _other_title(traits: Traits, wanted: Wanted) -> str:
    known = f'"{wanted.titles[0]}"'
    if aliases := len(wanted.titles) - 1:
        known += f' or its alias "{wanted.titles[1]}"' if aliases == 1 else f" or one of its {aliases} aliases"
    if not traits.titles:
        return f"the name states no title, wanted is {known}"
    return f'the name says "{traits.titles[0]}", wanted is {known}'


def _year_failures(traits: Traits, wanted: Wanted, policy: Policy) -> Iterator[GateFailure]:
    if not traits.year or not wanted.year or abs(traits.year - wanted.year) <= policy.gates.year_tolerance:
        return
    if not states_year(traits.titles, year=traits.year, wanted=wanted.titles):
        yield GateFailure("YEAR_MISMATCH", f"the name says {traits.year}, wanted is {wanted.year}")


def _film_failures(traits: Traits) -> Iterator[GateFailure]:
    if traits.seasons or traits.episodes or traits.absolutes:
        yield GateFailure("WRONG_EPISODE", f"the name says {_stated(traits)}, wanted is a film")


def _episode_failures(traits: Traits, wanted: Wanted) -> Iterator[GateFailure]:
    said = f"the name says {_stated(traits)}, wanted is {wanted.label}"
    if traits.seasons and wanted.season not in traits.seasons:
        yield GateFailure("WRONG_SEASON", said)
    if traits.episodes:
        yield from _counted(traits.episodes, traits, wanted, said)
        if traits.absolutes and wanted.absolute and wanted.absolute not in traits.absolutes:
            yield GateFailure("AMBIGUOUS_NUMBERING", f"{said}: its numbers contradict each other")
    elif traits.absolutes:
        yield from _counted(traits.absolutes, traits, wanted, said)
    elif traits.air_date:
        yield from _dated(traits.air_date, wanted)
    elif not traits.season_pack:
        yield GateFailure("AMBIGUOUS_NUMBERING", f"the name states no episode, wanted is {wanted.label}")


def _dated(aired: date, wanted: Wanted) -> Iterator[GateFailure]:
    if wanted.air_date is None:
        why = f"the name says {aired}, and the date of {wanted.label} is not known"
        yield GateFailure("AMBIGUOUS_NUMBERING", why)
    elif aired != wanted.air_date:
        yield GateFailure("WRONG_EPISODE", f"the name says {aired}, {wanted.label} is of {wanted.air_date}")


def _counted(numbers: Sequence[int], traits: Traits, wanted: Wanted, said: str) -> Iterator[GateFailure]:
    """Compare *numbers*, which count within the stated season, or from the first episode where none is stated."""
    if traits.seasons:
        is_right, may_be_right = wanted.episode in numbers, False
    elif wanted.absolute:
        is_right, may_be_right = wanted.absolute in numbers, wanted.episode in numbers
    else:
        is_right, may_be_right = wanted.season == 1 and wanted.episode in numbers, wanted.episode in numbers
    if is_right:
        return
    if may_be_right:
        yield GateFailure("AMBIGUOUS_NUMBERING", f"{said}: the number may count within a season that is not named")
    else:
        yield GateFailure("WRONG_EPISODE", said)


def _stated(traits: Traits) -> str:
    """Say in short what numbers a name states: `S01E02`, `S01-S03`, `number 5`, `numbers 1-12`."""
    season = f"S{_span(traits.seasons, 2)}" if traits.seasons else ""
    episode = f"E{_span(traits.episodes, 2)}" if traits.episodes else ""
    running = f"number {_span(traits.absolutes, 1)}" if traits.absolutes else ""
    return " ".join(part for part in (season + episode, running) if part) or "no number"


def _span(numbers: Sequence[int], digits: int) -> str:
    first, last = min(numbers), max(numbers)
    return f"{first:0{digits}d}" if first == last else f"{first:0{digits}d}-{last:0{digits}d}"
