# ruff: noqa: E501  files are easier to read in one line
"""What subtitles makes, in a real Chromium: every kind of file loads as a TextTrack with all its cues."""

import asyncio
import html
import json
import os
import re
import shutil
import tempfile

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from vod_fakes.control import Control
from vod_fakes.library import LIBRARY
from vod_fakes.serving import Site, bind, http_servers
from vod_subtitles.convert import convert
from vod_subtitles.domain import Timing
from vod_subtitles.timing import retimed

CHROMIUM = next((found for name in ("chromium", "google-chrome", "chrome") if (found := shutil.which(name))), None)
PAGE = """<!doctype html><video></video><pre></pre><script>
const names = NAMES, video = document.querySelector("video"), told = {};
const tell = () => {
  if (Object.keys(told).length === names.length) document.querySelector("pre").textContent = JSON.stringify(told);
};
for (const name of names) {
  const track = document.createElement("track");
  track.src = "/" + name + ".vtt";
  track.addEventListener("load", () => {
    told[name] = [...track.track.cues].map(cue => [cue.startTime, cue.endTime, cue.getCueAsHTML().textContent]);
    tell();
  });
  track.addEventListener("error", () => { told[name] = null; tell(); });
  video.append(track);
  track.track.mode = "hidden";
}
</script>"""
SCRIPT = (
    "[Script Info]\nPlayResX: 640\nPlayResY: 480\n\n[V4+ Styles]\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:01.02,0:00:02.03,Default,,0,0,0,,{\\i1}One{\\i0}, two\\Nthree {\\an8}\n"
    "Dialogue: 0,0:00:01.50,0:00:02.50,Default,,0,0,0,,{\\pos(320,40)}a<b>&c --> d\n"
)
HOSTILE = (
    "1\n00:00:01,000 --> 00:00:02,000\n<script>alert(1)</script><img src=x onerror=alert(1)>\n\n"
    "2\n00:00:02,000 --> 00:00:03,000\na < b & c > d --> x\n\nNOTE x\n\nSTYLE\n::cue{}\n\n"
    "3\n00:00:02,500 --> 00:00:04,000\n<i>it <b>bo</i> u</b> {\\an8}\u202eevil\n\n"
    "4\n00:00:05,000 --> 00:00:05,000\nno time\n\n5\n00:00:06,000 --> 00:00:07,000\n\n"
)
MADE = {
    "subrip": HOSTILE.encode(),
    "substation": SCRIPT.encode(),
    "microdvd": b"{1}{1}25\n{25}{50}one|two\n{50}{100}{y:i}three\n",
    "mpl2": b"[10][20]/slanted|plain\n[30][40]x\n",
    "tmplayer": b"00:00:01:Hello|you\n00:00:04:Bye\n",
    "subviewer": b"00:00:01.00,00:00:02.50\nHello[br]you\n\n00:00:03.00,00:00:04.00\nBye\n",
    "ttml": b"<tt><body><div><p begin='1s' end='2.5s'>a &lt; b<br/>c</p><p begin='3s' end='4s'>d</p></div></body></tt>",
    "webvtt": b"WEBVTT\n\nSTYLE\n::cue{}\n\n1\n00:01.000 --> 00:02.000 line:0 align:start\n<v Bob>Hi</v> &lt;b&gt; &amp;\n",
    "utf16": "1\n00:00:01,000 --> 00:00:02,000\nZażółć 你好\n".encode("utf-16-le"),
    "large": b"".join(b"%d\n01:%02d:%02d,000 --> 01:%02d:%02d,900\nLine %d\n\n" % (n, n // 60, n % 60, n // 60, n % 60, n) for n in range(3_000)),
    **{f"library-{one.file_id}": one.srt() for one in LIBRARY.subtitles},
}  # fmt: skip


@pytest.mark.timeout(300)
@pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="no Chromium on the path; CI must have one")
async def test_every_kind_of_file_loads_in_chromium_with_all_its_cues() -> None:
    assert CHROMIUM is not None, "CI has no Chromium: `.ci/run` installs it with apt-get"
    converted = {name: convert(raw, language="de") for name, raw in MADE.items()}
    served = {name: one.webvtt for name, one in converted.items()}
    served["moved"] = retimed(converted["large"].webvtt, Timing(rate=25 / 23.976))

    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE.replace("NAMES", json.dumps(list(served))))

    async def track(request: Request) -> Response:
        return Response(served[request.path_params["name"]], media_type="text/vtt; charset=utf-8")

    site = Site(Starlette(routes=[Route("/", page), Route("/{name}.vtt", track)]), Control(), bind())
    async with http_servers([site]):
        told = await opened_in_chromium(f"{site.url}/")

    expected = {name: one.cue_count for name, one in converted.items()} | {"moved": converted["large"].cue_count}
    assert {name: None if cues is None else len(cues) for name, cues in told.items()} == expected
    assert told["subrip"][0] == [1, 2, "<script>alert(1)</script><img src=x onerror=alert(1)>"]
    assert told["substation"][1] == [1.5, 2.5, "a<b>&c --> d"]
    assert told["utf16"] == [[1, 2, "Zażółć 你好"]]


async def opened_in_chromium(url: str) -> dict[str, list[list[object]]]:
    """Return what the page tells once all its tracks are loaded."""
    with tempfile.TemporaryDirectory(prefix="chromium-") as profile:
        browser = await asyncio.create_subprocess_exec(
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}",
            "--virtual-time-budget=20000", "--dump-dom", url,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(200):
                written, _ = await browser.communicate()
        finally:
            if browser.returncode is None:
                browser.kill()
                await browser.wait()
    found = re.search(r"<pre>(.+?)</pre>", written.decode(), re.DOTALL)
    assert found, "the tracks were not loaded in time"
    told: dict[str, list[list[object]]] = json.loads(html.unescape(found[1]))
    return told
