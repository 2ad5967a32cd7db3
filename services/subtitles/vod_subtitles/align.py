"""By how much a track is off, found by laying its cues over those of a track that fits (runs in the worker process).

People talk at the same moments in every language. So both tracks become a line that is 1 where something is shown and
0 elsewhere, and the offset is where the two lines agree best: the peak of their cross-correlation, which the FFT gives
for all offsets at once. That is tried for each ratio of frame rates in use. ffsubsync does the same (and can also
listen to the sound); it can't be installed from wheels alone, and where the two are cut differently it gives one
offset, which is wrong for half of the film. Here the thirds must agree as well.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vod_subtitles.unreadable import UnreadableSubtitleError

_RATES = (24000 / 1001, 24.0, 25.0)
RATIOS = (1.0, *(to / of for of in _RATES for to in _RATES if of != to))
"""Of frame rates: a track made for a film at 25 frames per second is 25/23.976 too fast for one at 23.976."""
FEWEST_CUES = 30
_STEP_MS = 20
_LONGEST_MS = 6 * 3600 * 1000
_MOST_OFFSET_MS = 10 * 60 * 1000
_ENOUGH = 0.5
_ENOUGH_OF_A_THIRD = 0.3
_NEAR_MS = 500
_MAY_DIFFER_MS = 400
_PARTS = 3
# Our own writer's form; in the text of cues `>` is escaped, so nothing else looks like it.
_TIMES = re.compile(r"^(\d{2,3}):(\d\d):(\d\d)\.(\d{3}) --> (\d{2,3}):(\d\d):(\d\d)\.(\d{3})", re.ASCII | re.MULTILINE)

Line = NDArray[np.float32]
Spans = NDArray[np.int64]
"""Begin and end of each cue in milliseconds, a row each."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A track's times become those of the reference by: time x rate + offset."""

    offset_ms: int
    rate: float
    agreement: float
    """The correlation coefficient of the two lines, 1 at most."""


def align(webvtt: str, reference: str) -> Iterator[float | Fit]:
    """Yield how much of the work is done, from 0 to 1, again and again; last how the track fits the reference.

    Raises:
        UnreadableSubtitleError: it does not fit, or not with one offset and one rate; or there is too little of one.
    """
    mine, theirs = _spans(webvtt), _spans(reference)
    best: Fit | None = None
    for number, rate in enumerate(RATIOS, start=1):
        offset, agreement = _offset(_scaled(mine, rate), theirs)
        # A rate other than 1 is rare, so it has to fit clearly better.
        if best is None or agreement > best.agreement + 0.02:
            best = Fit(offset, rate, agreement)
        yield number / (len(RATIOS) + 1)
    if best is None or best.agreement < _ENOUGH:
        raise UnreadableSubtitleError("the two tracks don't go together")
    moved = _scaled(mine, best.rate) + best.offset_ms
    _check_parts(moved, theirs)
    yield Fit(best.offset_ms + _finer(moved, theirs), best.rate, best.agreement)


def _spans(webvtt: str) -> Spans:
    found = [[int(part) for part in groups] for groups in _TIMES.findall(webvtt)]
    if len(found) < FEWEST_CUES:
        raise UnreadableSubtitleError(f"fewer than {FEWEST_CUES} cues are too few to tell")
    hours = np.array(found, dtype=np.int64).reshape(-1, 2, 4)
    spans: Spans = hours @ np.array([3_600_000, 60_000, 1000, 1], dtype=np.int64)
    if int(spans.max()) > _LONGEST_MS:
        raise UnreadableSubtitleError("longer than six hours")
    return spans


def _scaled(spans: Spans, rate: float) -> Spans:
    scaled: Spans = np.rint(spans * rate).astype(np.int64)
    return scaled


def _line(spans: Spans, length: int) -> Line:
    """Return 1 where something is shown and 0 elsewhere, less the mean."""
    edges = np.zeros(length + 1, dtype=np.int32)
    steps = np.clip(spans // _STEP_MS, 0, length)
    np.add.at(edges, steps[:, 0], 1)
    np.add.at(edges, steps[:, 1], -1)
    line: Line = (np.cumsum(edges[:-1]) > 0).astype(np.float32)
    line -= line.mean()
    return line


def _offset(mine: Spans, theirs: Spans, *, most_ms: int = _MOST_OFFSET_MS) -> tuple[int, float]:
    """Return how much later *mine* has to come to agree best with *theirs*, in milliseconds, and how well it does."""
    length = int(max(mine.max(), theirs.max())) // _STEP_MS + 1
    one, other = _line(mine, length), _line(theirs, length)
    size = 1 << (2 * length - 1).bit_length()
    spectrum = np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size))
    agreement = np.fft.irfft(spectrum, size)
    most = min(most_ms // _STEP_MS, length - 1)
    # Offsets from -most to most; negative ones stand at the end.
    around = np.concatenate([agreement[-most:], agreement[: most + 1]])
    at = int(np.argmax(around))
    scale = float(np.linalg.norm(one) * np.linalg.norm(other)) or 1.0
    return (at - most) * _STEP_MS, float(around[at]) / scale


def _check_parts(moved: Spans, theirs: Spans) -> None:
    """Refuse tracks of films that are cut differently: then some part wants another offset than the whole."""
    end = int(max(moved.max(), theirs.max())) + 1
    for begin, until in pairwise(np.linspace(0, end, _PARTS + 1)):
        mine = moved[(moved[:, 0] >= begin) & (moved[:, 1] <= until)]
        others = theirs[(theirs[:, 0] >= begin) & (theirs[:, 1] <= until)]
        if min(len(mine), len(others)) < FEWEST_CUES // _PARTS:
            continue
        from_here = int(begin)
        offset, agreement = _offset(mine - from_here, others - from_here, most_ms=60_000)
        if abs(offset) > _MAY_DIFFER_MS and agreement >= _ENOUGH_OF_A_THIRD:
            raise UnreadableSubtitleError("the two are cut differently: no single offset fits all of it")


def _finer(moved: Spans, theirs: Spans) -> int:
    """Return what is missing to the millisecond: the median distance of cues that begin together."""
    starts = np.sort(theirs[:, 0])
    at = np.searchsorted(starts, moved[:, 0])
    candidates = np.stack([np.take(starts, np.clip(at + step, 0, len(starts) - 1)) for step in (-1, 0)], axis=1)
    distances = candidates - moved[:, :1]
    nearest = distances[np.arange(len(moved)), np.abs(distances).argmin(axis=1)]
    near = nearest[np.abs(nearest) <= _NEAR_MS]
    return round(float(np.median(near))) if len(near) >= len(moved) // _PARTS else 0
