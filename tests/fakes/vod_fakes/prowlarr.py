"""A fake of Prowlarr: its JSON API, its download links, and the Torznab endpoint of each indexer.

Like the real one it leaves out keys without a value, proxies every link through itself (with the API key in it),
skips indexers that cannot do a search, and hides the failures of indexers behind an empty list.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vod_fakes import torznab
from vod_fakes.control import Control
from vod_fakes.indexers import CATEGORIES, INDEXERS, Handover, Indexer, Kind, Offer, Query, prowlarr_query
from vod_fakes.shapes import Listing
from vod_fakes.torrents import Torrent

Json = dict[str, Any]

_ALL_TORRENT_INDEXERS = -2
_DEFAULT_LIMIT = 100
_UNAVAILABLE = {
    "message": "Search failed due to all selected indexers being unavailable",
    "description": "NzbDrone.Core.Exceptions.SearchFailedException: all selected indexers are unavailable",
}


@dataclass(slots=True)
class Prowlarr:
    """Prowlarr with our indexers. `url` is its base and `tracker_url` the swarm's tracker once they are served."""

    key: str
    tracker_url: str = ""
    control: Control = field(default_factory=Control)
    url: str = ""
    indexers: dict[int, Indexer] = field(default_factory=lambda: {i.id: i for i in INDEXERS})
    offers: list[Offer] = field(default_factory=list)
    blocked_until: dict[int, datetime] = field(default_factory=dict)

    def add(
        self, title: str, torrent: Torrent, listings: Sequence[Listing], *, ids: Mapping[str, str] | None = None
    ) -> None:
        """List a torrent at one or more indexers under this title; `ids` as in `Offer`."""
        self.offers += [Offer(title, torrent, listing, ids or {}) for listing in listings]

    def remove(self, title: str) -> None:
        """Take a title off all indexers."""
        self.offers = [offer for offer in self.offers if offer.title != title]

    def relist(self, title: str, *, indexer_id: int, seeders: int | None, leechers: int | None) -> None:
        """Let one indexer claim other numbers for a title."""
        self.offers = [
            replace(offer, listing=replace(offer.listing, seeders=seeders, leechers=leechers))
            if (offer.title, offer.listing.indexer_id) == (title, indexer_id)
            else offer
            for offer in self.offers
        ]

    def hand_over(self, indexer_id: int, handover: Handover) -> None:
        """Let an indexer's download links lead to magnets or to .torrent files."""
        self.indexers[indexer_id] = replace(self.indexers[indexer_id], handover=handover)

    def block(self, indexer_id: int, *, wait: timedelta) -> None:
        """Have Prowlarr back off from an indexer, as it does after failures."""
        self.blocked_until[indexer_id] = datetime.now(UTC) + wait

    def app(self) -> Starlette:
        """The HTTP application."""
        return Starlette(
            routes=[
                Route("/ping", self._ping),
                Route("/api/v1/system/status", self._status),
                Route("/api/v1/indexer", self._indexers),
                Route("/api/v1/indexerstatus", self._indexer_status),
                Route("/api/v1/search", self._search),
                Route("/{id:int}/download", self._download),
                Route("/{id:int}/api", self._torznab),
            ]
        )

    def _known(self, request: Request) -> bool:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        return self.key in (request.headers.get("x-api-key"), request.query_params.get("apikey"), bearer)

    def _is_blocked(self, indexer: Indexer) -> bool:
        until = self.blocked_until.get(indexer.id)
        return until is not None and until > datetime.now(UTC)

    async def _ping(self, _: Request) -> Response:
        return JSONResponse({"status": "OK"})

    async def _status(self, request: Request) -> Response:
        if not self._known(request):
            return Response(status_code=401)
        return JSONResponse({"appName": "Prowlarr", "instanceName": "Prowlarr", "version": "2.3.0.5236"})

    async def _indexers(self, request: Request) -> Response:
        if not self._known(request):
            return Response(status_code=401)
        return JSONResponse([_indexer_body(indexer) for indexer in self.indexers.values()])

    async def _indexer_status(self, request: Request) -> Response:
        if not self._known(request):
            return Response(status_code=401)
        rows = [
            {"id": n, "indexerId": i, "disabledTill": _iso(until), "mostRecentFailure": _iso(datetime.now(UTC))}
            for n, (i, until) in enumerate(self.blocked_until.items(), 1)
            if until > datetime.now(UTC)
        ]
        return JSONResponse(rows)

    async def _search(self, request: Request) -> Response:
        if not self._known(request):
            return Response(status_code=401)
        asked = request.query_params
        try:
            kind = Kind(asked.get("type", "search"))
            wanted = {int(i) for i in asked.getlist("indexerIds")}
            categories = frozenset(int(c) for c in asked.getlist("categories"))
            limit, offset = int(asked.get("limit", _DEFAULT_LIMIT)), int(asked.get("offset", 0))
        except ValueError:
            return JSONResponse([])
        everybody = not wanted or _ALL_TORRENT_INDEXERS in wanted
        chosen = [i for i in self.indexers.values() if i.enabled and (everybody or i.id in wanted)]
        usable = [indexer for indexer in chosen if not self._is_blocked(indexer)]
        if not usable:
            return JSONResponse(_UNAVAILABLE, 400)
        query = prowlarr_query(kind, asked.get("query", ""), categories)
        found = [(i, offer) for i in usable if query.supported_by(i) for offer in self._found(i, query)]
        return JSONResponse([self._release(i, offer) for i, offer in found[offset : offset + limit]])

    def _found(self, indexer: Indexer, query: Query) -> list[Offer]:
        return [offer for offer in self.offers if offer.listing.indexer_id == indexer.id and query.finds(offer)]

    def _link(self, indexer: Indexer, offer: Offer) -> str:
        """The proxied download link; the part `link` is sealed in the real one and merely encoded here."""
        target = f"{indexer.site}/dl/{offer.torrent.infohash}.torrent"
        sealed = base64.urlsafe_b64encode(target.encode()).decode().rstrip("=")
        return f"{self.url}/{indexer.id}/download?" + urlencode(
            {"apikey": self.key, "link": sealed, "file": offer.title}
        )

    def _release(self, indexer: Indexer, offer: Offer) -> Json:
        listing, torrent = offer.listing, offer.torrent
        page = f"{indexer.site}/t/{torrent.infohash[:10]}"
        link = self._link(indexer, offer)
        body: Json = {
            "guid": page,
            "age": int(listing.hours_old // 24),
            "ageHours": listing.hours_old,
            "ageMinutes": listing.hours_old * 60,
            "size": torrent.size,
            "files": len(torrent.files) if indexer.tells_infohash else None,
            "indexerId": indexer.id,
            "indexer": indexer.name,
            "title": offer.title,
            "sortTitle": offer.title.lower(),
            "imdbId": 0,
            "tmdbId": 0,
            "tvdbId": 0,
            "tvMazeId": 0,
            "publishDate": _iso(offer.published),
            "downloadUrl": link,
            "infoUrl": page,
            "indexerFlags": [],
            "categories": [{"id": c, "name": CATEGORIES[c], "subCategories": []} for c in listing.categories],
            "magnetUrl": link if indexer.tells_infohash else None,
            "infoHash": torrent.infohash if indexer.tells_infohash else None,
            "seeders": listing.seeders,
            "leechers": listing.leechers,
            "protocol": "torrent",
            "fileName": f"{offer.title}.torrent",
        }
        return {name: value for name, value in body.items() if value is not None}

    async def _download(self, request: Request) -> Response:
        if not self._known(request):
            return Response(status_code=401)
        indexer = self.indexers.get(request.path_params["id"])
        torrent = self._torrent_behind(request.query_params.get("link", ""))
        if indexer is None or torrent is None:
            return JSONResponse({"message": "NotFound"}, 404)
        if indexer.handover is Handover.MAGNET:
            return Response(status_code=301, headers={"location": torrent.magnet(self.tracker_url)})
        name = f'attachment; filename="{torrent.infohash}.torrent"'
        body = torrent.metainfo(self.tracker_url)
        return Response(body, media_type="application/x-bittorrent", headers={"content-disposition": name})

    def _torrent_behind(self, sealed: str) -> Torrent | None:
        try:
            target = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)).decode()
        except ValueError:
            return None
        infohash = target.rpartition("/")[2].removesuffix(".torrent")
        return next((offer.torrent for offer in self.offers if offer.torrent.infohash == infohash), None)

    async def _torznab(self, request: Request) -> Response:
        indexer = self.indexers.get(request.path_params["id"])
        if not self._known(request):
            return Response(status_code=401)
        if indexer is None:
            return JSONResponse({"message": "NotFound"}, 404)
        if not indexer.enabled:
            return torznab.error(410, 410, "Indexer is disabled")
        if self._is_blocked(indexer):
            until = self.blocked_until[indexer.id]
            seconds = max(1, round((until - datetime.now(UTC)).total_seconds()))
            text = f"Indexer is disabled till {until:%m/%d/%Y %H:%M:%S} due to recent failures."
            return torznab.error(429, 429, text, {"retry-after": str(seconds)})
        return self._torznab_answer(indexer, request)

    def _torznab_answer(self, indexer: Indexer, request: Request) -> Response:
        function = request.query_params.get("t", "")
        if function == "caps":
            return torznab.caps(indexer)
        if not function:
            return torznab.error(400, 200, "Missing parameter (t)")
        try:
            query = torznab.query(request)
        except ValueError:
            return torznab.error(400, 202, f"No such function ({function})")
        found = self._found(indexer, query) if query.supported_by(indexer) else []
        page = torznab.page(request, found)
        return torznab.feed(indexer, [(offer, self._link(indexer, offer)) for offer in page])


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _indexer_body(indexer: Indexer) -> Json:
    return {
        "id": indexer.id,
        "name": indexer.name,
        "indexerUrls": [f"{indexer.site}/"],
        "definitionName": indexer.name.replace(" ", "").lower(),
        "description": f"{indexer.name} is a made-up tracker",
        "language": "en-US",
        "enable": indexer.enabled,
        "redirect": False,
        "supportsRss": True,
        "supportsSearch": True,
        "supportsRedirect": False,
        "supportsPagination": False,
        "appProfileId": 1,
        "protocol": "torrent",
        "privacy": "public",
        "priority": 25,
        "added": "2024-01-01T00:00:00Z",
        "capabilities": {
            "limitsMax": 100,
            "limitsDefault": 100,
            "categories": [{"id": c, "name": name, "subCategories": []} for c, name in CATEGORIES.items()],
            "supportsRawSearch": False,
            "searchParams": ["q"],
            "tvSearchParams": list(indexer.tv_params),
            "movieSearchParams": list(indexer.movie_params),
            "musicSearchParams": [],
            "bookSearchParams": [],
        },
        "implementationName": "Cardigann",
        "implementation": "Cardigann",
        "configContract": "CardigannSettings",
        "fields": [],
        "tags": [],
    }
