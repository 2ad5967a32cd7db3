"""Tokens in stream URLs: who may read which file until when, verified without asking anybody.

    base64url( version 1 · key id 1 · expiry 8 · infohash 20 · file index 4 · holder 1-64 · HMAC-SHA256, first 16 )

A token is a bearer secret: it never stands in a log, a span or an error text.
"""

import base64
import hashlib
import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from vod_stream_node.domain import Infohash, PinKey
from vod_stream_node.errors import HolderInvalid, TokenExpired, TokenInvalid

_VERSION = 1
_HEAD = struct.Struct(">BBQ20sI")
_MAC_BYTES = 16
_MAX_HOLDER_BYTES = 64
_MAX_TOKEN_CHARACTERS = 4 * (_HEAD.size + _MAX_HOLDER_BYTES + _MAC_BYTES) // 3 + 1


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows."""

    key: PinKey
    holder: str
    expires_at: datetime


class TokenSigner:
    """Signs with the first of its keys, and verifies with any of them."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        # The secrets serve other purposes too, so what signs tokens is derived from them.
        keys = [hmac.digest(secret, b"vod stream token v1", hashlib.sha256) for secret in secrets]
        self._keys = {hashlib.sha256(key).digest()[0]: key for key in reversed(keys)}
        self._key_id = hashlib.sha256(keys[0]).digest()[0]

    def sign(self, grant: Grant) -> str:
        """Return the token of a grant, safe in a URL's path.

        Raises:
            HolderInvalid: the holder's name is empty or longer than 64 bytes.
        """
        holder = grant.holder.encode()
        if not 1 <= len(holder) <= _MAX_HOLDER_BYTES:
            raise HolderInvalid("A holder's name has 1 to 64 bytes.")
        expiry = int(grant.expires_at.timestamp())
        infohash = bytes.fromhex(grant.key.infohash)
        body = _HEAD.pack(_VERSION, self._key_id, expiry, infohash, grant.key.file_index) + holder
        return _encode(body + _mac(self._keys[self._key_id], body))

    def verify(self, token: str, *, now: datetime) -> Grant:
        """Return what a token grants.

        Raises:
            TokenInvalid: it was not signed here, or was changed since.
            TokenExpired: it was good once.
        """
        raw = _decode(token)
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(body) <= _HEAD.size:
            raise TokenInvalid("The link is not valid.")
        version, key_id, expiry, infohash, file_index = _HEAD.unpack_from(body)
        key = self._keys.get(key_id, b"")
        # An unknown key costs as much time as a wrong signature.
        if not hmac.compare_digest(_mac(key, body), mac) or not key or version != _VERSION:
            raise TokenInvalid("The link is not valid.")
        expires_at = datetime.fromtimestamp(expiry, UTC)
        if now >= expires_at:
            raise TokenExpired("The link has expired.")
        holder = body[_HEAD.size :].decode()
        return Grant(PinKey(Infohash(infohash.hex()), file_index), holder=holder, expires_at=expires_at)


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, hashlib.sha256)[:_MAC_BYTES]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(token: str) -> bytes:
    try:
        if len(token) > _MAX_TOKEN_CHARACTERS:
            raise ValueError(len(token))
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError:
        raise TokenInvalid("The link is not valid.") from None
    # The decoder skips foreign characters and spare bits; one grant has exactly one spelling.
    if _encode(raw) != token:
        raise TokenInvalid("The link is not valid.")
    return raw
