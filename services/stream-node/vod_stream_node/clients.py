"""What is known of other programs in the swarm, by the ids that they give themselves (BEP 20)."""

import re

_OLD_TRANSMISSION = re.compile(rb"-TR[0-3]")


def drops_cancelled(peer_id: bytes) -> bool:
    """Say whether a peer drops a request that is cancelled without a word, though it understands the fast extension.

    BEP 6 wants it rejected. libtorrent waits for that for ever, counts the request as owed and asks for nothing more.
    Transmission rejects since 4.0.
    """
    return _OLD_TRANSMISSION.match(peer_id) is not None
