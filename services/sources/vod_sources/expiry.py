"""When a signed address ends, read from the address itself."""

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

_UNIX_NAMES = ("exp", "expires", "expire", "e", "expiry", "validto", "deadline")
_INSIDE = re.compile(r"(?:^|~|&)(?:exp|e)=(\d{9,13})", re.ASCII)
_JWT = re.compile(r"eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]*", re.ASCII)
_EARLIEST, _LATEST = 1_000_000_000, 10_000_000_000


def expiry_of(url: str) -> datetime | None:
    """Return the earliest end that an address states: `exp=`, `X-Amz-Date` + `X-Amz-Expires`, `hdnea=…exp=`, a JWT."""
    query = {name.lower(): values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    found = [_unix(query[name]) for name in _UNIX_NAMES if name in query]
    found.append(_amazon(query))
    found += [_unix(match) for value in query.values() for match in _INSIDE.findall(value)]
    found += [_jwt(match) for match in _JWT.findall(url)]
    return min((one for one in found if one is not None), default=None)


def renew_at(expires_at: datetime, *, found_at: datetime) -> datetime:
    """Return when to ask again: a minute before the end or a tenth of the whole time, but not in its first half."""
    life = expires_at - found_at
    return expires_at - min(max(timedelta(seconds=60), life / 10), life / 2)


def _unix(value: str) -> datetime | None:
    if not value.isdecimal() or len(value) > 13:
        return None
    seconds = int(value) / (1000 if len(value) == 13 else 1)
    return datetime.fromtimestamp(seconds, UTC) if _EARLIEST < seconds < _LATEST else None


def _amazon(query: Mapping[str, str]) -> datetime | None:
    try:
        signed = datetime.strptime(query["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return signed + timedelta(seconds=int(query["x-amz-expires"]))
    except (KeyError, ValueError, OverflowError):
        return None


def _jwt(payload: str) -> datetime | None:
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return None
    exp = claims.get("exp") if isinstance(claims, dict) else None
    return _unix(str(exp)) if isinstance(exp, int) else None
