"""The ways in which every HTTP API that answers JSON fails some day, by name."""

from collections.abc import Mapping

from vod_fakes.control import CutBody, Fault, Hang, Reply, html_error, json_reply, too_many_requests

JSON_FAULTS: Mapping[str, Fault] = {
    "429 with Retry-After": too_many_requests(retry_after="7"),
    "429 without": too_many_requests(),
    "503 in HTML": html_error(),
    "200 in HTML": Reply(200, b"<html>", {"content-type": "text/html"}),
    "200 with an error": json_reply({"success": False, "status_code": 43, "error": "busy", "message": "busy"}),
    "a list": json_reply([]),
    "nulls": json_reply(dict.fromkeys(("id", "data", "results", "response", "metadata", "files"))),
    "deep nesting": Reply(200, b"[" * 100_000),
    "too large": Reply(200, b" " * 5_000_000),
    "cut off": CutBody(),
    "hangs": Hang(),
}
"""Where a `null` or an error stands in the place of what was asked for, that is a failure, too."""
