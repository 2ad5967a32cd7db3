import pytest

from vod_stream_node.preconditions import Outcome, evaluate

ETAG = '"abc-0"'


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "outcome"),
    [
        (None, None, Outcome.SEND),
        (ETAG, None, Outcome.SEND),
        ("*", None, Outcome.SEND),
        ('"x", "abc-0"', None, Outcome.SEND),
        ('"x"', None, Outcome.UNMET),
        (f"W/{ETAG}", None, Outcome.UNMET),
        (None, ETAG, Outcome.NOT_MODIFIED),
        (None, f"W/{ETAG}", Outcome.NOT_MODIFIED),
        (None, '"x", "abc-0"', Outcome.NOT_MODIFIED),
        (None, " * ", Outcome.NOT_MODIFIED),
        (None, '"x"', Outcome.SEND),
        (None, "abc-0", Outcome.SEND),
        ('"x"', ETAG, Outcome.UNMET),
    ],
)
def test_a_file_is_sent_unless_the_client_has_it_or_wants_another(
    if_match: str | None, if_none_match: str | None, outcome: Outcome
) -> None:
    assert evaluate(if_match, if_none_match, etag=ETAG) == outcome
