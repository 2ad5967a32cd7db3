# ruff: noqa: T201, E501
"""Feed the subtitle converter's worker broken and made-up files for some minutes.

Fails at the first file that never ends, takes more than the worker's 256 MiB, or breaks it; tells the slowest (in time on
the clock, so it is a busy machine's as well) and the most memory.

usage: python tests/bench/fuzz_subtitles.py [minutes]
"""

import asyncio
import resource
import sys
import time
from collections import Counter
from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from vod_subtitles.languages import LANGUAGES
from vod_subtitles.unreadable import UnreadableSubtitleError
from vod_subtitles.workers import workers

_FOR_EVER = timedelta(seconds=30)
_HURT = ("takes more than", "too much memory", "breaks the converter")
PIECES = [
    b"1\n", b"00:00:01,000 --> 00:00:02,000\n", b"WEBVTT\n\n", b"[Script Info]\n", b"[V4+ Styles]\n", b"[Events]\n",
    b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n", b"PK\x03\x04", b"\x1f\x8b\x08",
    b"Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,", b"{\\an8}", b"{\\pos(1,2)}", b"{\\p1}", b"{1}{1}25\n",
    b"{10}{20}a|b\n", b"[10][20]/x\n", b"00:00:01:x\n", b"00:00:01.00,00:00:02.00\n", b"[00:00:01]\n", b"<tt ", b"<body>",
    b"<p begin='1s' end='2s'>", b"<span>", b"</p>", b"</body></tt>", b"<br/>", b"<i>", b"</b>", b"&amp;", b"-->", b"\n\n",
    b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x1b$B", b"\x00", "größer 你好 мир".encode(), "мир".encode("cp1251"),
]  # fmt: skip
FILE = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=40)), max_size=60).map(b"".join)
REPEATED = st.builds(
    lambda head, piece, times: head + piece * (times * 2_000_000 // 1000 // max(1, len(piece))),
    st.sampled_from(PIECES),
    st.one_of(st.sampled_from(PIECES), st.binary(min_size=1, max_size=12)),
    st.integers(0, 1000),
)


def main() -> None:
    asyncio.run(_feed_for(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))


async def _feed_for(minutes: float) -> None:
    end, outcomes, slowest = time.monotonic() + minutes * 60, Counter[str](), 0.0
    loop = asyncio.get_running_loop()
    async with workers(1) as some:

        async def convert(raw: bytes, language: str, fps: float | None) -> None:
            nonlocal slowest
            begun = time.monotonic()
            try:
                converted = await some.convert(raw, language=language, fps=fps, within=_FOR_EVER)
            except UnreadableSubtitleError as error:
                hurt = next((why for why in _HURT if why in str(error)), "")
                outcomes[hurt or "refused"] += 1
                assert not hurt, (hurt, raw[:80], len(raw))
            else:
                outcomes["converted"] += 1
                assert converted.webvtt.startswith("WEBVTT\n\n")
                assert converted.webvtt.count(" --> ") == converted.cue_count
            finally:
                slowest = max(slowest, time.monotonic() - begun)

        @settings(
            max_examples=2_000,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.one_of(FILE, REPEATED), st.sampled_from(["", *LANGUAGES]), st.sampled_from([None, 25.0]))
        def feed(raw: bytes, language: str, fps: float | None) -> None:
            asyncio.run_coroutine_threadsafe(convert(raw, language, fps), loop).result()

        while time.monotonic() < end:
            await asyncio.to_thread(feed)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{dict(outcomes)}; slowest {slowest:.2f} s; most memory of a worker {memory} MiB")


if __name__ == "__main__":
    main()
