"""The XML side of the Prowlarr fake: Torznab capabilities, result feeds and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from starlette.requests import Request
from starlette.responses import Response

from vod_fakes.indexers import CATEGORIES, Indexer, Kind, Offer, Query

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NUMBERING = ("season", "ep", "year", "imdbid", "tmdbid", "tvdbid")


def error(status: int, code: int, description: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error document with its HTTP status."""
    return _xml(f'<error code="{code}" description={quoteattr(description)} />', status, headers)


def caps(indexer: Indexer) -> Response:
    """The answer to `t=caps`."""
    categories = "".join(f'<category id="{c}" name={quoteattr(name)} />' for c, name in CATEGORIES.items())
    return _xml(
        '<caps><server title="Prowlarr" /><limits default="100" max="100" /><searching>'
        '<search available="yes" supportedParams="q" />'
        f'<tv-search available="yes" supportedParams="{",".join(indexer.tv_params)}" />'
        f'<movie-search available="yes" supportedParams="{",".join(indexer.movie_params)}" />'
        f"</searching><categories>{categories}</categories></caps>"
    )


def query(request: Request) -> Query:
    """Read `t=search|tvsearch|movie` with its parameters; ValueError for another function or a bad category."""
    asked = request.query_params
    categories = frozenset(int(c) for c in asked.get("cat", "").split(",") if c)
    params = {name: asked[name] for name in _NUMBERING if asked.get(name)}
    return Query(Kind(asked["t"]), asked.get("q", ""), params, categories)


def page(request: Request, found: Sequence[Offer]) -> Sequence[Offer]:
    """Cut out what `limit` and `offset` ask for."""
    limit, offset = request.query_params.get("limit", "100"), request.query_params.get("offset", "0")
    start = int(offset) if offset.isdigit() else 0
    return found[start : start + (int(limit) if limit.isdigit() else 100)]


def feed(indexer: Indexer, found: Sequence[tuple[Offer, str]]) -> Response:
    """The result list; each offer comes with its proxied download link."""
    items = "".join(_item(indexer, offer, link) for offer, link in found)
    return _xml(
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" '
        'xmlns:torznab="http://torznab.com/schemas/2015/feed"><channel>'
        f"<title>{escape(indexer.name)}</title>{items}</channel></rss>"
    )


def _item(indexer: Indexer, offer: Offer, link: str) -> str:
    guid = escape(f"{indexer.site}/t/{offer.torrent.infohash[:10]}")
    categories = "".join(f"<category>{c}</category>" for c in offer.listing.categories)
    return (
        f"<item><title>{escape(offer.title)}</title><guid>{guid}</guid>"
        f'<prowlarrindexer id="{indexer.id}" type="public">{escape(indexer.name)}</prowlarrindexer>'
        f"<comments>{guid}</comments><pubDate>{format_datetime(offer.published)}</pubDate>"
        f"<size>{offer.torrent.size}</size><link>{escape(link)}</link>{categories}"
        f'<enclosure url={quoteattr(link)} length="{offer.torrent.size}" type="application/x-bittorrent" />'
        f"{_attributes(indexer, offer)}</item>"
    )


def _attributes(indexer: Indexer, offer: Offer) -> str:
    listing = offer.listing
    attributes = [("category", str(c)) for c in listing.categories]
    if listing.seeders is not None:
        attributes.append(("seeders", str(listing.seeders)))
    if listing.seeders is not None and listing.leechers is not None:
        attributes.append(("peers", str(listing.seeders + listing.leechers)))
    if indexer.tells_infohash:
        attributes.append(("infohash", offer.torrent.infohash))
    return "".join(f'<torznab:attr name="{name}" value="{value}" />' for name, value in attributes)


def _xml(body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(_HEAD + body, status, media_type="application/rss+xml", headers=dict(headers or {}))
