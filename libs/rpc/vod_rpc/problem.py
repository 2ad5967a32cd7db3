"""Failures as HTTP sees them: problem+json (RFC 9457)."""

from typing import Any

from vod_rpc.errors import Failure

CONTENT_TYPE = "application/problem+json"


def problem(failure: Failure, *, instance: str) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the problem object of a failure.

    `type` is a relative reference, resolved against the address of the API (RFC 9457 section 3.1.1 allows it), so that
    it names the same problem wherever the project is hosted.
    """
    service = failure.domain.removesuffix(".vod") or "gateway"
    slug = failure.reason.lower().replace("_", "-")
    return failure.http_status, {
        "type": f"/problems/{service}/{slug}",
        "title": failure.reason.replace("_", " ").capitalize(),
        "status": failure.http_status,
        "detail": str(failure),
        "instance": instance,
        "reason": failure.reason,
        "domain": failure.domain or "gateway.vod",
        "metadata": dict(failure.metadata),
    }
