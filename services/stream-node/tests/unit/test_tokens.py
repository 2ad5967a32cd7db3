import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_stream_node.domain import Infohash, PinKey
from vod_stream_node.errors import HolderInvalid, TokenExpired, TokenInvalid
from vod_stream_node.tokens import Grant, TokenSigner

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=12)
SIGNER = TokenSigner([b"root key of the tests"])
GRANT = Grant(PinKey(Infohash("ab" * 20), 3), holder="session-1", expires_at=LATER)
URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

grants = st.builds(
    Grant,
    st.builds(PinKey, st.binary(min_size=20, max_size=20).map(lambda raw: Infohash(raw.hex())), st.integers(0, 9999)),
    holder=st.text(min_size=1, max_size=16),
    expires_at=st.integers(1, 10**9).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)


@given(grant=grants)
def test_a_token_grants_what_was_signed(grant: Grant) -> None:
    token = SIGNER.sign(grant)

    assert set(token) <= set(URL_SAFE)
    assert grant == SIGNER.verify(token, now=NOW)


@given(data=st.data())
def test_a_token_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    token = SIGNER.sign(GRANT)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from([letter for letter in URL_SAFE if letter != token[place]]))

    with pytest.raises(TokenInvalid):
        SIGNER.verify(token[:place] + other + token[place + 1 :], now=NOW)


@given(data=st.data())
def test_a_token_with_any_bit_changed_is_refused(data: st.DataObject) -> None:
    token = SIGNER.sign(GRANT)
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8

    with pytest.raises(TokenInvalid):
        SIGNER.verify(base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), now=NOW)


@given(token=st.text(max_size=400))
def test_no_text_that_was_not_signed_is_a_token(token: str) -> None:
    with pytest.raises(TokenInvalid):
        SIGNER.verify(token, now=NOW)


def test_a_token_with_something_added_is_refused() -> None:
    token = SIGNER.sign(GRANT)

    for changed in (token + "A", token + "=", token + "\n", " " + token, token[:-1]):
        with pytest.raises(TokenInvalid):
            SIGNER.verify(changed, now=NOW)


def test_a_token_is_good_until_it_expires_and_no_longer() -> None:
    token = SIGNER.sign(GRANT)

    assert SIGNER.verify(token, now=LATER - timedelta(seconds=1)) == GRANT
    with pytest.raises(TokenExpired):
        SIGNER.verify(token, now=LATER)


def test_after_a_change_of_keys_old_tokens_stay_good_and_new_ones_are_signed_with_the_new_key() -> None:
    old, new = TokenSigner([b"old root key"]), TokenSigner([b"new root key"])
    both = TokenSigner([b"new root key", b"old root key"])

    assert both.verify(old.sign(GRANT), now=NOW) == GRANT
    assert new.verify(both.sign(GRANT), now=NOW) == GRANT
    with pytest.raises(TokenInvalid):
        new.verify(old.sign(GRANT), now=NOW)


@pytest.mark.parametrize("holder", ["", "x" * 65])
def test_a_holder_that_fits_in_no_token_is_refused(holder: str) -> None:
    with pytest.raises(HolderInvalid):
        SIGNER.sign(Grant(GRANT.key, holder=holder, expires_at=LATER))
