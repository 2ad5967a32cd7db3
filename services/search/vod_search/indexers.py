"""The port to whoever lists torrents: Prowlarr's indexers, a Torznab address, the Archive, a Stremio add-on."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Protocol, TypeAlias

from vod_search.domain import Announcement, Wanted


class IndexerError(Exception):
    """An indexer, or who knows indexers, gave no usable answer; the text says why, for people, without addresses.

    `retry_after` is what it asked for, if it did; `status` and `body` are those of an HTTP refusal (the body's
    beginning), 0 and empty otherwise.
    """

    def __init__(self, text: str, *, retry_after: timedelta | None = None, status: int = 0, body: bytes = b"") -> None:
        super().__init__(text)
        self.retry_after = retry_after
        self.status = status
        self.body = body


class Misconfigured(IndexerError):  # noqa: N818  it names the state that the operator can change
    """Waiting would not help: the operator has to change something, or Prowlarr lets it rest itself."""


Question: TypeAlias = Callable[[], Awaitable[Sequence[Announcement]]]
"""One request to one indexer, ready to be sent. Raises IndexerError when it is not answered."""


class Indexer(Protocol):
    """One that can be asked. Its name is unique among all and known to people; its record is kept under it."""

    @property
    def name(self) -> str: ...

    async def questions(self, wanted: Wanted) -> Sequence[Question]:
        """Return how to ask this indexer for *wanted*, in the way it understands; nothing where it can't have it.

        Raises:
            IndexerError: it did not tell what it understands.
        """
        ...

    async def resolve(self, found: Announcement) -> Announcement | None:
        """Follow the download link of *found* to an infohash and trackers; None where it leads to neither."""
        ...


class Provider(Protocol):
    """One that knows indexers."""

    @property
    def name(self) -> str: ...

    async def indexers(self) -> Sequence[Indexer]:
        """Return those that can be asked now.

        Raises:
            IndexerError: it did not tell, or knows none.
        """
        ...
