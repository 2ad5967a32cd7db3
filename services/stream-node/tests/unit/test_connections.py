"""The express lane's calls, and the room for them that all lanes of a node share."""

import asyncio

import libtorrent as lt

from vod_stream_node.lane.addresses import Room
from vod_stream_node.lane.lane import Lane
from vod_stream_node.peer_filter import PeerFilter


async def test_a_lane_that_closes_as_it_begins_to_call_gives_back_its_room() -> None:
    room = Room(connections=2)
    async with asyncio.TaskGroup() as group:
        lane = Lane(
            bytes(20),
            group=group,
            room=room,
            allowed=lambda _: True,
            on_piece=lambda _piece, _data: None,
            on_change=lambda: None,
            peers=PeerFilter(lt.session({"listen_interfaces": ""})),
            give_back=lambda _host, _port: None,
        )
        lane.meet([("127.0.0.1", 1), ("127.0.0.2", 1)])
        lane.activate()
        calling = room.left
        lane.close()

    assert calling == 0
    assert room.left == 2
