"""Where torrents belong: the same everywhere, evenly, and moved as little as possible."""

import hashlib
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vod_stream_node.domain import Infohash
from vod_stream_node.placement import Member, place


def member(number: int, load: int = 0) -> Member:
    return Member(f"node-{number}", target="", public_base="", peer="", load=load)


def infohash(number: int) -> Infohash:
    return Infohash(hashlib.sha1(str(number).encode()).hexdigest())


def placed(torrents: int, members: list[Member]) -> dict[Infohash, str]:
    """Place torrents one after the other; each adds to the load of its node."""
    found: dict[Infohash, str] = {}
    for number in range(torrents):
        chosen = place(infohash(number), members)
        assert chosen is not None
        found[infohash(number)] = chosen.name
        members = [replace(one, load=one.load + 1) if one.name == chosen.name else one for one in members]
    return found


@given(st.permutations([member(number) for number in range(5)]), st.integers(min_value=0))
def test_every_node_computes_the_same_place(members: list[Member], number: int) -> None:
    in_order = sorted(members, key=lambda one: one.name)

    assert place(infohash(number), in_order) == place(infohash(number), members)


@given(st.integers(min_value=1, max_value=6), st.integers(min_value=1, max_value=80))
def test_no_node_gets_more_than_a_quarter_above_the_average(nodes: int, torrents: int) -> None:
    loads = Counter(placed(torrents, [member(number) for number in range(nodes)]).values())

    assert max(loads.values()) <= 1.25 * torrents / nodes + 1


def test_only_the_torrents_of_a_node_that_left_move() -> None:
    members = [member(number) for number in range(4)]
    before = {number: place(infohash(number), members) for number in range(300)}
    after = {number: place(infohash(number), members[1:]) for number in range(300)}

    moved = {number for number in before if before[number] != after[number]}

    assert moved == {number for number, owner in before.items() if owner == members[0]}
    assert 40 < len(moved) < 120


def test_a_full_node_gets_something_only_when_all_are_full() -> None:
    full = [replace(member(number), full=True) for number in range(3)]

    assert set(placed(20, [*full, member(3), member(4)]).values()) == {"node-3", "node-4"}
    assert place(infohash(1), full) in full


def test_a_node_that_drains_gets_nothing_and_if_all_drain_nobody_does() -> None:
    members = [member(0), replace(member(1), draining=True)]

    assert {place(infohash(number), members) for number in range(20)} == {members[0]}
    assert place(infohash(0), members[1:]) is None
