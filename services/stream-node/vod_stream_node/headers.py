"""HTTP headers of stream answers: what a file is, who may read it from a page, and which hosts we answer to."""

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from vod_stream_node.domain import Infohash, TorrentFile

_EXPOSED = "Content-Disposition, Accept-Ranges, Content-Length, Content-Range, ETag"


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins whose pages may read streams."""

    allowed: frozenset[str]

    def headers(self, origin: str | None) -> dict[str, str]:
        """Return the CORS headers for a request's Origin; none for a stranger's."""
        if origin is None or origin not in self.allowed:
            return {"Vary": "Origin"}
        return {"Vary": "Origin", "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED}

    def preflight(self, origin: str | None) -> dict[str, str]:
        """Return the headers that answer an OPTIONS request."""
        headers = self.headers(origin)
        if "Access-Control-Allow-Origin" in headers:
            headers["Access-Control-Allow-Methods"] = "GET, HEAD"
            headers["Access-Control-Allow-Headers"] = "Range, If-Range"
            headers["Access-Control-Max-Age"] = "86400"
        return headers


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names we answer to. An attacker's page can make its own name resolve to us (DNS rebinding), so a name that
    is not ours is refused; an address as host needs no such trick and is let through."""

    names: frozenset[str]

    def allow(self, host: str | None) -> bool:
        """Say whether a request with this Host header is for us."""
        try:
            name = urlsplit(f"//{host or ''}").hostname or ""
            return name in self.names or bool(ipaddress.ip_address(name))
        except ValueError:
            return False


def hosts(public_base: str, further: Collection[str]) -> Hosts:
    """Return the names of a node: that of its public address, loopback's, and *further* ones."""
    public = urlsplit(public_base).hostname or ""
    return Hosts(frozenset({"localhost", public.lower(), *(name.lower() for name in further)} - {""}))


def etag(infohash: Infohash, file: TorrentFile) -> str:
    """Return the strong entity tag of a file; its bytes can never change, the infohash fixes them."""
    return f'"{infohash}-{file.index}"'


def file_headers(infohash: Infohash, file: TorrentFile) -> Mapping[str, str]:
    """Return what every answer with a file says about it."""
    return {
        "Accept-Ranges": "bytes",
        "Content-Type": file.content_type or "application/octet-stream",
        "Content-Disposition": disposition(file.name),
        "ETag": etag(infohash, file),
    }


_DLNA = "DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=01700000000000000000000000000000"
"""Byte ranges but no time seeking; not transcoded; streaming and background transfer, connection stalling allowed
(DLNA Guidelines, part 1-1, 7.4.1.3)."""
_TRANSFERS = {"streaming": "Streaming", "background": "Background"}


def dlna_headers(file: TorrentFile, asked: Mapping[str, str]) -> Mapping[str, str]:
    """Return what a DLNA renderer asked to be told of a file."""
    headers: dict[str, str] = {}
    if asked.get("getcontentfeatures.dlna.org") == "1":
        headers["contentFeatures.dlna.org"] = _DLNA
    if mode := asked.get("transfermode.dlna.org"):
        kind = (file.content_type or "").partition("/")[0]
        usual = "Streaming" if kind in {"video", "audio"} else "Background"
        headers["transferMode.dlna.org"] = _TRANSFERS.get(mode.lower(), usual)
    return headers


def disposition(name: str) -> str:
    """Return a Content-Disposition that shows a file in place, with its name in the form of RFC 8187 too."""
    plain = "".join(letter if " " <= letter <= "~" and letter not in '"\\%' else "_" for letter in name)
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


ALWAYS: Mapping[str, str] = {
    # The URL is a secret: no cache may keep the answer under it, no page may pass it on, nobody may guess a type.
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
