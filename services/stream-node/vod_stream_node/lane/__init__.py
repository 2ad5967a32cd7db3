"""The express lane: an own peer-wire client for what a viewer waits for, beside libtorrent (ADR 0010).

wire.py      bytes ↔ messages; no I/O
pace.py      what is known of a peer's speed
dispatch.py  which block is asked of whom; no I/O, no clock
pieces.py    blocks ↔ verified pieces, and who sent what
addresses.py whom to call
peer.py      one connection
lane.py      the connections of one torrent, and what comes of them
"""
