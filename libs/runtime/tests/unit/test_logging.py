"""No secret reaches a log line, whatever key it travels under."""

import io
import json

import pytest

from vod_runtime.logging import logger

MAGNET = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&tr=http%3A%2F%2Ft%2Fpasskey99"


def logged(**fields: object) -> dict[str, object]:
    out = io.StringIO()
    logger("lamps", out=out).info("lamp_lit", **fields)
    line: dict[str, object] = json.loads(out.getvalue())
    return line


@pytest.mark.parametrize(
    "fields",
    [
        {"detail": f"could not add {MAGNET} at once"},
        {"magnet": "passkey99"},
        {"url": "http://127.0.0.1:8081/stream/node-1/passkey99/E01.mkv"},
        {"url": "http://prowlarr:9696/2/download?apikey=passkey99&link=x"},
        {"dsn": "postgresql://vod:passkey99@db/vod"},
        {"header": "Bearer passkey99"},
        {"stream_url": "passkey99"},
        {"error": ValueError(f"bad: {MAGNET}")},
        {"nested": {"one": [MAGNET]}},
    ],
)
def test_secrets_are_cut_out_by_key_and_by_look(fields: dict[str, object]) -> None:
    assert "passkey99" not in json.dumps(logged(**fields))


def test_a_line_says_who_and_what_and_keeps_plain_values() -> None:
    line = logged(session="s1", ms=12.5)

    assert (
        line["service"],
        line["event"],
        line["level"],
        line["session"],
        line["ms"],
    ) == ("lamps", "lamp_lit", "info", "s1", 12.5)


def test_a_traceback_is_cleaned_too() -> None:
    out = io.StringIO()
    try:
        raise ValueError(MAGNET)
    except ValueError:
        logger("lamps", out=out).exception("lamp_broke")

    assert "ValueError" in out.getvalue()
    assert "passkey99" not in out.getvalue()
