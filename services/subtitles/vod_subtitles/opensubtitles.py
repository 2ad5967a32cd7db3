"""OpenSubtitles' REST API v1 (https://opensubtitles.stoplight.io/docs/opensubtitles-api).

Searching is free; `POST /download` is counted against the operator's daily quota.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx

from vod_runtime import Clock
from vod_subtitles.convert import MAX_BYTES
from vod_subtitles.domain import EpisodeNamed, EpisodeOf, FilmOf, Lang, Listed, Target, Trait, Wanted
from vod_subtitles.errors import SubtitleQuotaExhausted, SubtitleSourceUnavailable
from vod_subtitles.torrents import Hashed
from vod_subtitles.unreadable import UnreadableSubtitleError

SOURCE = "opensubtitles"

_DEADLINE = timedelta(seconds=10)
_MAX_JSON_BYTES = 4 * 1024 * 1024
_SPACING_SECONDS = 0.25  # 40 requests in 10 s
_RETRY_SECONDS = 0.5
_REST_AFTER_429 = timedelta(seconds=10)
_LONGEST_REST = timedelta(hours=1)
_QUOTA_IF_UNSAID = timedelta(hours=6)
_SHORTEST_QUOTA = timedelta(minutes=1)
_RETRY_STATUSES = frozenset({500, 502, 503, 504})
_MOST_REDIRECTS = 3
_TOKEN_LIFE = timedelta(hours=12)
_BETWEEN_LOGINS = timedelta(minutes=10)
_VIP_HOST = re.compile(r"[a-z0-9-]{1,40}\.opensubtitles\.com", re.ASCII)
# Where OpenSubtitles tells regional languages apart.
_REGIONS = {"pt": ("pt-br", "pt-pt"), "zh": ("zh-cn", "zh-tw"), "es": ("ea", "es")}
_LANGUAGES = {"ea": "es"}
_TRAITS = {
    "hearing_impaired": Trait.HEARING_IMPAIRED,
    "foreign_parts_only": Trait.FORCED,
    "machine_translated": Trait.MACHINE_TRANSLATED,
    "ai_translated": Trait.MACHINE_TRANSLATED,
    "from_trusted": Trait.TRUSTED,
}


@dataclass(frozen=True, slots=True)
class Account:
    """Whose downloads are spent; `name` is the user's name, not the mail address."""

    name: str
    password: str = field(repr=False)


@asynccontextmanager
async def opensubtitles(
    base: str, *, key: str, clock: Clock, account: Account | None = None
) -> AsyncIterator["OpenSubtitles"]:
    """Open a client for the API at *base*, with the operator's *key*; with an account, its downloads are spent."""
    async with httpx.AsyncClient(timeout=_DEADLINE.total_seconds()) as http:
        yield OpenSubtitles(http, base=httpx.URL(base.rstrip("/") + "/"), key=key, clock=clock, account=account)


class OpenSubtitles:
    """Finds and downloads subtitle files."""

    name = SOURCE
    needs_title = False

    def __init__(
        self, http: httpx.AsyncClient, *, base: httpx.URL, key: str, clock: Clock, account: Account | None
    ) -> None:
        self._http = http
        self._base = base
        self._headers = {"api-key": key, "user-agent": "NovaStream v0.1.0", "accept": "application/json"}
        self._clock = clock
        self._next_turn = 0.0
        self._resting_until = 0.0
        self._account = account
        self._login = asyncio.Lock()
        self._login_until = 0.0
        self._next_login = 0.0

    async def search(self, wanted: Wanted, languages: Sequence[Lang], *, hashed: Hashed | None) -> list[Listed]:
        """Return the files of an episode, and of the video that has the hash, in these languages, 50 at most.

        Raises:
            SubtitleSourceUnavailable: no usable answer in time; `retry_after` says when to ask again.
        """
        target = wanted.target
        asked = sorted({region for lang in languages for region in _REGIONS.get(lang, (lang,))})
        # Sorted, lower case and without defaults: anything else is answered with a redirect.
        by_hash = {"moviehash": hashed.moviehash} if hashed and hashed.moviehash else {}
        params = dict(sorted({"languages": ",".join(asked), **by_hash, **_query(target)}.items()))
        found = await self._call("GET", self._base.join("subtitles").copy_merge_params(params))
        items = found.get("data")
        if not isinstance(items, list):
            raise self._unavailable("answered without the data")
        listed = (_listed(item.get("attributes"), target, hashed) for item in items if isinstance(item, dict))
        return [one for one in listed if one is not None]

    async def download(self, file_id: str) -> bytes:
        """Return a file's bytes; costs one of the day's downloads.

        Raises:
            SubtitleQuotaExhausted: there are none left; `retry_after` says until when.
            SubtitleSourceUnavailable: no usable answer in time.
        """
        await self._log_in()
        found = await self._call(
            "POST", self._base.join("download"), body={"file_id": int(file_id), "sub_format": "srt"}
        )
        link = found.get("link")
        if not isinstance(link, str):
            raise self._unavailable("answered without a link")
        url = httpx.URL(link)
        # Whoever answers in the source's name must not make us fetch from inside of our network.
        if url.scheme != "https" and _origin(url) != _origin(self._base):
            raise self._unavailable("answered with a link that we don't follow")
        return await self._file(url)

    async def _log_in(self) -> None:
        """Get a token for the account, unless there is a good one, or the last try was not long ago."""
        async with self._login:
            now = self._clock.monotonic()
            if self._account is None or now < self._login_until or now < self._next_login:
                return
            # 30 logins an hour are allowed; a wrong password does not get better by trying.
            self._next_login = now + _BETWEEN_LOGINS.total_seconds()
            self._headers.pop("authorization", None)
            body = {"username": self._account.name, "password": self._account.password}
            try:
                found = await self._call("POST", self._base.join("login"), body=body)
            except (SubtitleSourceUnavailable, SubtitleQuotaExhausted):
                return  # the key alone has downloads of its own
            token, host = found.get("token"), found.get("base_url")
            if not isinstance(token, str):
                return
            self._headers["authorization"] = f"Bearer {token}"
            self._login_until = now + _TOKEN_LIFE.total_seconds()
            if isinstance(host, str) and _VIP_HOST.fullmatch(host) and self._base.scheme == "https":
                self._base = self._base.copy_with(host=host)

    async def _call(
        self, method: str, url: httpx.URL, *, body: Mapping[str, object] | None = None
    ) -> Mapping[str, object]:
        try:
            async with asyncio.timeout(_DEADLINE.total_seconds()):
                response, content = await self._with_second_try(method, url, body)
        except (TimeoutError, httpx.HTTPError, _TooLargeError) as error:
            raise self._unavailable("did not answer as it should") from error
        answer = _json_object(content)
        self._check(response, answer)
        if answer is None:
            raise self._unavailable("did not answer with JSON")
        return answer

    async def _with_second_try(
        self, method: str, url: httpx.URL, body: Mapping[str, object] | None
    ) -> tuple[httpx.Response, bytes]:
        response, content = await self._request(method, url, body)
        if response.status_code not in _RETRY_STATUSES:
            return response, content
        await asyncio.sleep(_RETRY_SECONDS)
        return await self._request(method, url, body)

    async def _request(
        self, method: str, url: httpx.URL, body: Mapping[str, object] | None
    ) -> tuple[httpx.Response, bytes]:
        await self._turn()
        for _ in range(_MOST_REDIRECTS):
            async with self._http.stream(method, url, json=body, headers=self._headers) as response:
                target = url.join(response.headers["location"]) if response.has_redirect_location else None
                # The key goes to nobody else.
                if target is None or _origin(target) != _origin(self._base):
                    return response, await _read(response, limit=_MAX_JSON_BYTES)
            url = target
        raise self._unavailable("redirects in circles")

    async def _file(self, url: httpx.URL) -> bytes:
        headers = {"user-agent": self._headers["user-agent"]}
        try:
            async with (
                asyncio.timeout(_DEADLINE.total_seconds()),
                self._http.stream("GET", url, headers=headers) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise self._unavailable("does not hand out the file")
                return await _read(response, limit=MAX_BYTES)
        except (TimeoutError, httpx.HTTPError, _TooLargeError) as error:
            raise self._unavailable("does not hand out the file") from error

    async def _turn(self) -> None:
        now = self._clock.monotonic()
        if now < self._resting_until:
            raise self._unavailable("is left alone for a while")
        wait = max(0.0, self._next_turn - now)
        self._next_turn = now + wait + _SPACING_SECONDS
        await asyncio.sleep(wait)

    def _check(self, response: httpx.Response, answer: Mapping[str, object] | None) -> None:
        status = response.status_code
        if status == httpx.codes.NOT_ACCEPTABLE and _says(answer, "invalid file"):
            raise UnreadableSubtitleError("gone at the source")
        # A used-up quota sometimes comes as 401, told apart only by its words (bazarr#2153).
        if status == httpx.codes.NOT_ACCEPTABLE or (
            status == httpx.codes.UNAUTHORIZED and _says(answer, "your allowed")
        ):
            raise self._quota(answer or {})
        if status == httpx.codes.TOO_MANY_REQUESTS:
            header = response.headers.get("retry-after", "").strip()
            wait = timedelta(seconds=min(int(header), 10**6)) if header.isdecimal() else _REST_AFTER_429
            self._resting_until = self._clock.monotonic() + min(wait, _LONGEST_REST).total_seconds()
            raise self._unavailable("asks us to wait")
        if status == httpx.codes.UNAUTHORIZED and "authorization" in self._headers:
            # The token is no longer good: the next download gets a new one.
            self._headers.pop("authorization")
            self._login_until = 0.0
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise self._unavailable("refuses the configured key")
        if status != httpx.codes.OK:
            raise self._unavailable("did not answer as it should")

    def _quota(self, answer: Mapping[str, object]) -> SubtitleQuotaExhausted:
        now = self._clock.now()
        resets_at = max(_time(answer.get("reset_time_utc")) or now + _QUOTA_IF_UNSAID, now + _SHORTEST_QUOTA)
        return SubtitleQuotaExhausted(SOURCE, now=now, resets_at=resets_at)

    def _unavailable(self, what: str) -> SubtitleSourceUnavailable:
        rest = timedelta(seconds=max(1.0, self._resting_until - self._clock.monotonic()))
        return SubtitleSourceUnavailable(f"OpenSubtitles {what}.", metadata={"source": SOURCE}, retry_after=rest)


class _TooLargeError(Exception):
    """More was sent than we are willing to read."""


def _query(target: Target) -> dict[str, str]:
    match target:
        case EpisodeOf(tmdb_id, season, episode):
            return {"parent_tmdb_id": f"{tmdb_id}", "season_number": f"{season}", "episode_number": f"{episode}"}
        case FilmOf(tmdb_id):
            return {"tmdb_id": f"{tmdb_id}"}
        case EpisodeNamed(title, season, episode):
            return {"query": title.lower(), "season_number": f"{season}", "episode_number": f"{episode}"}


def _listed(attributes: object, target: Target, hashed: Hashed | None) -> Listed | None:
    """Read one result; None for what has no single file of a known language, or is of another episode."""
    if not isinstance(attributes, dict):
        return None
    is_exact = attributes.get("moviehash_match") is True
    if not is_exact and not _is_of(attributes.get("feature_details"), target):
        return None
    files, language = attributes.get("files"), attributes.get("language")
    # Two files are two discs, each with times of its own.
    if not isinstance(files, list) or len(files) != 1 or not isinstance(language, str):
        return None
    file_id = files[0].get("file_id") if isinstance(files[0], dict) else None
    code = language.lower()
    base = _LANGUAGES.get(code, code.split("-")[0])
    if not isinstance(file_id, int) or len(base) != 2:
        return None
    fps, downloads, release = attributes.get("fps"), attributes.get("download_count"), attributes.get("release")
    return Listed(
        source=SOURCE,
        file_id=str(file_id),
        lang=Lang(base),
        release_title=release[:300] if isinstance(release, str) else "",
        downloads=downloads if isinstance(downloads, int) else 0,
        fps=float(fps) if isinstance(fps, int | float) and fps > 0 else None,
        traits=frozenset(trait for name, trait in _TRAITS.items() if attributes.get(name) is True),
        matches=hashed.video if hashed and is_exact else "",
    )


def _is_of(details: object, target: Target) -> bool:
    """Return whether a result names the wanted episode; searches by name also find others."""
    if not isinstance(target, EpisodeNamed) or not isinstance(details, dict):
        return True
    return (details.get("season_number"), details.get("episode_number")) == (target.season, target.episode)


def _says(answer: Mapping[str, object] | None, words: str) -> bool:
    message = (answer or {}).get("message")
    return isinstance(message, str) and words in message.lower()


def _time(value: object) -> datetime | None:
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return read.replace(tzinfo=read.tzinfo or UTC) if read else None


def _json_object(content: bytes) -> Mapping[str, object] | None:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _read(response: httpx.Response, *, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            raise _TooLargeError
    return bytes(body)
