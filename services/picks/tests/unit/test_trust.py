"""Whether an indexer's numbers mean anything."""

from hypothesis import given
from hypothesis import strategies as st

from vod_picks.domain import Candidate, ChosenFile, Ranking, Reason, Release, SourceKind, Tier, TorrentFile
from vod_picks.race import Run, Sighting
from vod_picks.trust import Lesson, Trust, lessons

FILE = ChosenFile(TorrentFile(0, "a.mkv", 1_000_000_000), SourceKind.SINGLE)
SILENT = (Reason("SWARM_SILENT", "nobody told"),)
NEEDED = 500_000.0


def run(indexer: str, *, seeders: int, rate: int | None, **more: bool) -> Run:
    """A run whose swarm gave *rate* bytes per second; None: it stayed silent."""
    announced = {"indexer": indexer, "seeders": seeders}
    release = Release("a" * 40, "x", "magnet:", group="", resolution="", codec="", announced=announced)
    candidate = Candidate(release, Ranking(Tier.OK, (), {}))
    if rate is None:
        return Run(candidate, reasons=SILENT)
    seen = Sighting(peers=1, bytes_per_second=rate, complete=False, here_before=False)
    return Run(candidate, chosen=FILE, sighting=seen, needed_rate=NEEDED)


def test_silence_of_a_claimed_crowd_is_a_lie_while_others_give() -> None:
    runs = [run("Siren", seeders=900, rate=None), run("Breakwater", seeders=12, rate=2_000_000)]

    assert list(lessons(runs)) == [("Siren", Lesson.BROKEN), ("Breakwater", Lesson.KEPT)]


def test_a_few_seeders_may_be_gone_by_chance() -> None:
    runs = [run("Siren", seeders=4, rate=None), run("Breakwater", seeders=12, rate=2_000_000)]

    assert list(lessons(runs)) == [("Breakwater", Lesson.KEPT)]


def test_all_who_announced_a_release_learn() -> None:
    assert [name for name, _ in lessons([run("Siren, Breakwater", seeders=12, rate=2_000_000)])] == [
        "Siren",
        "Breakwater",
    ]


@given(st.lists(st.sampled_from(Lesson), max_size=300))
def test_trust_stays_between_never_and_always(taught: list[Lesson]) -> None:
    trust = Trust()
    for lesson in taught:
        trust = trust.after(lesson)

    assert 0 < trust.mean < 1


def test_half_of_the_numbers_being_lies_halves_trust() -> None:
    trust = Trust()
    for _ in range(200):
        trust = trust.after(Lesson.KEPT).after(Lesson.BROKEN)

    assert 0.45 < trust.mean < 0.55
