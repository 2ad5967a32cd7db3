"""Whether an indexer's numbers mean anything."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from vod_picks.domain import Candidate, ChosenFile, Ranking, Reason, Release, SourceKind, Tier, TorrentFile
from vod_picks.race import Dropped, Result, Run, Sighting
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


def taught(*runs: Run, dropped: Sequence[Dropped] = ()) -> dict[str, Trust]:
    """Return the trust that a race leaves, by indexer."""
    trust: dict[str, Trust] = {}
    for indexer, lesson in lessons(Result(None, runs, dropped)):
        trust[indexer] = trust.get(indexer, Trust()).after(lesson)
    return trust


def cut_off(indexer: str, *, seeders: int, shown: bool) -> Dropped:
    return Dropped(run(indexer, seeders=seeders, rate=None).candidate, shown)


def test_silence_of_a_claimed_crowd_is_a_lie_while_others_give() -> None:
    trust = taught(run("Siren", seeders=900, rate=None), run("Breakwater", seeders=12, rate=2_000_000))

    assert trust["Siren"].mean < Trust().mean - 0.05
    assert trust["Breakwater"].mean > Trust().mean + 0.01


def test_a_crowd_that_shows_its_file_and_gives_nothing_is_a_lie() -> None:
    trust = taught(run("Siren", seeders=900, rate=0), run("Breakwater", seeders=12, rate=2_000_000))

    assert trust["Siren"].mean < Trust().mean - 0.02


def test_bytes_from_a_crowd_tell_less_than_bytes_from_a_few() -> None:
    trust = taught(run("Siren", seeders=900, rate=2_000_000), run("Breakwater", seeders=12, rate=2_000_000))

    assert Trust().mean < trust["Siren"].mean < trust["Breakwater"].mean


def test_a_few_seeders_may_be_gone_by_chance() -> None:
    assert set(taught(run("Siren", seeders=4, rate=None), run("Breakwater", seeders=12, rate=2_000_000))) == {
        "Breakwater"
    }


def test_nobody_is_blamed_while_nothing_comes_from_anybody() -> None:
    assert taught(run("Siren", seeders=900, rate=None), run("Breakwater", seeders=12, rate=0)) == {}


def test_one_that_is_cut_off_after_it_showed_its_file_is_trusted_more() -> None:
    good = run("Breakwater", seeders=12, rate=2_000_000)

    trust = taught(good, dropped=[cut_off("Siren", seeders=12, shown=True)])

    assert trust["Siren"].mean > Trust().mean


def test_one_that_is_cut_off_in_silence_is_blamed_less_than_one_that_had_its_time() -> None:
    good = run("Breakwater", seeders=12, rate=2_000_000)

    trust = taught(good, run("Mute", seeders=12, rate=None), dropped=[cut_off("Siren", seeders=12, shown=False)])

    assert trust["Mute"].mean < trust["Siren"].mean < Trust().mean


def test_all_who_announced_a_release_learn() -> None:
    assert list(taught(run("Siren, Breakwater", seeders=12, rate=2_000_000))) == ["Siren", "Breakwater"]


chances = st.floats(0.01, 0.99)


@given(st.lists(st.builds(Lesson, chances, chances), max_size=300))
def test_trust_stays_between_never_and_always(told: list[Lesson]) -> None:
    trust = Trust()
    for lesson in told:
        trust = trust.after(lesson)

    assert 0 < trust.mean < 1


def test_half_of_the_numbers_being_lies_halves_trust() -> None:
    trust = Trust()
    for _ in range(200):
        trust = trust.after(Lesson(0.9, 0.1)).after(Lesson(0.1, 0.9))

    assert 0.45 < trust.mean < 0.55


def test_a_lesson_that_tells_nothing_changes_nothing() -> None:
    assert Trust(5.0, 2.0).after(Lesson(0.4, 0.4)) == Trust(5.0, 2.0)


@given(
    seeders=st.integers(5, 10**9),
    leechers=st.integers(0, 10**9),
    rate=st.none() | st.integers(0, 10**9),
)
def test_any_claim_teaches_something_finite(seeders: int, leechers: int, rate: int | None) -> None:
    good = run("Breakwater", seeders=12, rate=2_000_000)
    other = run("Siren", seeders=seeders, rate=rate)
    other.candidate.release.announced["leechers"] = leechers

    assert all(0 < trust.mean < 1 for trust in taught(good, other).values())
