# ruff: noqa: T201, E501
"""Feed the subtitle converter broken and made-up files for some minutes; tell the slowest, and the most memory.

usage: python tests/bench/fuzz_subtitles.py [minutes]
"""

import resource
import sys
import time
from collections import Counter

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from vod_subtitles.archives import unpacked
from vod_subtitles.convert import convert
from vod_subtitles.languages import LANGUAGES
from vod_subtitles.unreadable import UnreadableSubtitleError
from vod_subtitles.worker import MAX_MEMORY_BYTES

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
    # As the worker process has it: what needs more fails here as it would there.
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    end, slowest, outcomes = time.monotonic() + minutes * 60, (0.0, b""), Counter[str]()

    @settings(
        max_examples=2_000,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(FILE, REPEATED), st.sampled_from(["", *LANGUAGES]), st.sampled_from([None, 25.0]))
    def feed(raw: bytes, language: str, fps: float | None) -> None:
        nonlocal slowest
        begun = time.process_time()
        try:
            converted = convert(unpacked(raw), language=language, fps=fps)
        except UnreadableSubtitleError:
            outcomes["refused"] += 1
        else:
            outcomes["converted"] += 1
            assert converted.webvtt.startswith("WEBVTT\n\n")
            assert converted.webvtt.count(" --> ") == converted.cue_count
        slowest = max(slowest, (time.process_time() - begun, raw[:60]))

    while time.monotonic() < end:
        feed()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{dict(outcomes)}; slowest {slowest[0]:.2f} s ({slowest[1]!r}); most memory {memory} MiB")


if __name__ == "__main__":
    main()
