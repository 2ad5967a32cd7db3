"""The `deviceId` cookie: who an anonymous viewer is.

The id is 128 random bits and never taken from a body or a query; the cookie holds it with an HMAC, so a viewer can
neither choose nor guess another's. Keys are a ring: cookies of the previous key stay good and are signed anew.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NewType

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "deviceId"
MAX_AGE = timedelta(days=400)
"""The longest that browsers keep a cookie (RFC 6265bis section 5.5)."""
_PURPOSE = b"vod-gateway device cookie v1"
_FORM = re.compile(r"(?P<id>[0-9a-f]{32})\.(?P<mac>[0-9a-f]{64})")

DeviceId = NewType("DeviceId", str)


class KeyRing:
    """Signs device ids with the first secret, accepts the signatures of all."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        # Derived, so that a signature made for one purpose is worth nothing for another.
        self._keys = [hmac.digest(secret.encode(), _PURPOSE, "sha256") for secret in secret_keys]

    def sign(self, device: DeviceId) -> str:
        """Return the value of the cookie."""
        return f"{device}.{self._mac(self._keys[0], device)}"

    def verify(self, cookie: str) -> DeviceId | None:
        """Return the id in a cookie that we signed, None for every other text."""
        match = _FORM.fullmatch(cookie)
        if match is None:
            return None
        device = DeviceId(match["id"])
        good = [hmac.compare_digest(match["mac"], self._mac(key, device)) for key in self._keys]
        return device if any(good) else None

    @staticmethod
    def _mac(key: bytes, device: DeviceId) -> str:
        return hmac.new(key, device.encode(), hashlib.sha256).hexdigest()


@dataclass(slots=True)
class Device:
    """The device behind a request."""

    known: DeviceId | None
    """Its id, if the request brought a good cookie."""
    named: DeviceId | None = None

    def identify(self) -> DeviceId:
        """Return the device's id, a new one if it has none; the answer will carry the cookie."""
        if self.named is None:
            self.named = self.known or DeviceId(secrets.token_hex(16))
        return self.named


class DeviceCookie:
    """Read the cookie of each request; set it where a route needed to know the device, so that its life starts anew."""

    def __init__(self, app: ASGIApp, *, keys: KeyRing, secure: str) -> None:
        self._app = app
        self._keys = keys
        # Lax: a link from elsewhere keeps the viewer, a form on another site does not act for her.
        self._attributes = f"; Path=/; Max-Age={int(MAX_AGE.total_seconds())}; HttpOnly; SameSite=Lax{secure}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        device = Device(known=self._read(Headers(scope=scope)))
        scope["state"]["device"] = device

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and device.named is not None:
                cookie = f"{COOKIE}={self._keys.sign(device.named)}{self._attributes}"
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self._app(scope, receive, with_cookie)

    def _read(self, headers: Headers) -> DeviceId | None:
        pairs = (pair.strip().partition("=") for line in headers.getlist("cookie") for pair in line.split(";"))
        good = (self._keys.verify(value) for name, _, value in pairs if name == COOKIE)
        return next((device for device in good if device), None)
