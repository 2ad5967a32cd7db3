"""From other formats' markup to WebVTT's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_subtitles.markup import Markup, payload

SUBRIP, WEBVTT, SUBSTATION = Markup.SUBRIP, Markup.WEBVTT, Markup.SUBSTATION
HOSTILE = st.lists(
    st.sampled_from([*"<>/&;{}\\|ibuanpNh0189 \n\r\t-é", "<i>", "</b>", "{\\an8}", "\u202e", "\x00"])
).map("".join)


@pytest.mark.parametrize(
    ("markup", "text", "expected"),
    [
        (SUBRIP, "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        (SUBRIP, "<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        (SUBRIP, "a < b & c > d --> x", "a &lt; b &amp; c &gt; d --&gt; x"),
        (SUBRIP, "<i>it</i> <B>bo <u>x</b> y</u>", "<i>it</i> <b>bo <u>x</u></b><u> y</u>"),
        (SUBRIP, '<font color="#f00">red</font> <s>no</s>', "red no"),
        (SUBRIP, "one<br>two<br/>three", "one\ntwo\nthree"),
        (SUBRIP, "<i>left open", "<i>left open</i>"),
        (SUBRIP, "closed</i> only", "closed only"),
        (SUBRIP, "<i></i> <b><i> </i></b>x", "x"),
        (SUBRIP, "{Hello} {\\i1}w{\\i0}", "{Hello} <i>w</i>"),
        (SUBRIP, "one\n\n \ntwo", "one\ntwo"),
        (SUBRIP, "\u202eevil\u202c ok\x00\x07", "evil ok"),
        (SUBRIP, "&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        (WEBVTT, "<v Bob>Hi</v> &lt;b&gt; &amp; &nbsp;x", "Hi &lt;b&gt; &amp; \u00a0x"),
        (WEBVTT, "<c.yellow.bg_blue>x</c> <lang en>y</lang>", "x y"),
        (
            SUBSTATION,
            r"Hello\Nworld\hnb {comment}{\i1}it{\i0} a<b>&c",
            "Hello\nworld\u00a0nb <i>it</i> a&lt;b&gt;&amp;c",
        ),
        (SUBSTATION, r"{\p1}m 0 0 l 100 0{\p0}", ""),
        (SUBSTATION, r"{\k20}ka{\k30}ra", "kara"),
        (SUBSTATION, r"{\b700}fat{\b0} {\blur3\bord2\iclip(1,2)}plain", "<b>fat</b> plain"),
        (SUBSTATION, r"l1\N\Nl3 --> arrow", "l1\nl3 --&gt; arrow"),
    ],
)
def test_only_what_webvtt_can_say_comes_through(markup: Markup, text: str, expected: str) -> None:
    assert payload(text, markup=markup).text == expected


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (r"{\an8}top", "line:0"),
        (r"{\an2}bottom", ""),
        (r"{\a6}top, the old way", "line:0"),
        (r"{\an4}left", "line:50% position:5% align:start"),
        (r"{\pos(1,2)\an9}corner", "line:0 position:95% align:end"),
        (r"{\alpha&HFF&}nothing", ""),
    ],
)
def test_a_place_on_the_screen_is_kept(text: str, settings: str) -> None:
    assert payload(text, markup=SUBSTATION).settings == settings


@given(HOSTILE, st.sampled_from(list(Markup)))
def test_whatever_comes_in_what_goes_out_is_safe_and_balanced(text: str, markup: Markup) -> None:
    written = payload(text, markup=markup).text
    stack: list[str] = []
    for close, tag in re.findall(r"<(/?)([ibu])>", written):
        if close:
            assert stack.pop() == tag
        else:
            stack.append(tag)

    assert not stack
    assert not re.search(r"[<>]", re.sub(r"</?[ibu]>", "", written))
    assert not re.search(r"&(?!amp;|lt;|gt;)", written)
    assert "\n\n" not in f"\n{written}\n" or not written


@pytest.mark.parametrize(
    "piece", ["<a", "<font ", "{", "{\\an8", "<i>", "<i></i>", "&", "&amp", "{\\i1}", "<b><i>", "<" * 9, "<i> "]
)
@pytest.mark.parametrize("markup", list(Markup))
@pytest.mark.timeout(20)
def test_no_text_takes_more_than_linear_time(piece: str, markup: Markup) -> None:
    # A quadratic reader takes minutes for a megabyte of these.
    assert payload(piece * (1_000_000 // len(piece)), markup=markup) is not None
