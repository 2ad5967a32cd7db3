"""The express lane: an own peer-wire client for what a viewer waits for, beside libtorrent (ADR 0010).

wire.py      bytes ↔ messages; no I/O
spans.py     what is asked for at a time, and what of a piece is on its way
pace.py      what is known of a peer's speed
uplink.py    what a peer owes, and when it will have delivered it
dispatch.py  which span is asked of whom; no I/O, no clock
pieces.py    spans → verified pieces, and who sent what
addresses.py whom to call
peer.py      one connection
calls.py     one call, beside libtorrent's connection or instead of it
connections.py  the connections of one torrent: whom to call, and when again
lane.py      what is asked over them, and what comes of it
"""
