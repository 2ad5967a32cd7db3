"""The device cookie can be neither forged nor guessed, and outlives a change of the key."""

from hypothesis import given
from hypothesis import strategies as st

from vod_gateway.device import Device, DeviceId, KeyRing

ID = DeviceId("0123456789abcdef0123456789abcdef")
RING = KeyRing(["the-current-secret"])


def test_a_signed_id_is_read_back() -> None:
    assert RING.verify(RING.sign(ID)) == ID


@given(position=st.integers(0, len(RING.sign(ID)) - 1), character=st.characters())
def test_any_changed_character_makes_the_cookie_worthless(position: int, character: str) -> None:
    cookie = RING.sign(ID)
    forged = cookie[:position] + character + cookie[position + 1 :]

    assert RING.verify(forged) == (ID if forged == cookie else None)


@given(st.text())
def test_any_other_text_is_no_cookie(text: str) -> None:
    assert RING.verify(text) is None


def test_a_cookie_of_the_previous_key_stays_good_and_is_signed_anew() -> None:
    old = KeyRing(["the-old-secret"]).sign(ID)
    ring = KeyRing(["the-current-secret", "the-old-secret"])

    assert ring.verify(old) == ID
    assert ring.sign(ID) == RING.sign(ID)
    assert RING.verify(old) is None


def test_a_device_without_a_cookie_gets_one_id_of_128_bits() -> None:
    device = Device(known=None)

    assert device.identify() == device.identify()
    assert len(bytes.fromhex(device.identify())) == 16
    assert device.identify() != Device(known=None).identify()
