import pytest

from vod_stream_node.headers import Origins, disposition, hosts


def test_a_files_name_is_given_in_both_forms() -> None:
    assert (
        disposition('Läter\'s 100% "x".mkv')
        == "inline; filename=\"L_ter's 100_ _x_.mkv\"; filename*=UTF-8''L%C3%A4ter%27s%20100%25%20%22x%22.mkv"
    )


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("stream.example", True),
        ("STREAM.example:8081", True),
        ("other.example", True),
        ("localhost:8081", True),
        ("127.0.0.1:8081", True),
        ("[::1]:8081", True),
        ("192.168.1.5", True),
        ("evil.example", False),
        ("stream.example.evil", False),
        ("", False),
        (None, False),
        ("[", False),
    ],
)
def test_only_our_own_names_and_plain_addresses_are_hosts(host: str | None, allowed: bool) -> None:
    ours = hosts("https://stream.example", ["other.example"])

    assert allowed == ours.allow(host)


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://ui.example.evil", "https://ui.example"]
)
def test_an_origin_that_is_not_listed_gets_no_permission(origin: str | None) -> None:
    assert Origins(frozenset({"http://ui.example"})).headers(origin) == {"Vary": "Origin"}
