"""Requests as they are on the wire, and patches that change nothing but what they say."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest

from undersign import BodyDigest, CannotSign, Component, ConfigError, Patch, Request
from undersign.core.fields import decode_field, fields
from undersign.core.message import (
    _PLACES,
    BodyHasher,
    body_digest,
    body_hex_digest,
    body_length,
    lone_value,
    origin_form,
)

# Request


def test_headers_may_be_a_mapping_or_pairs() -> None:
    assert Request("GET", "/", {"A": "1"}).headers == (("A", "1"),)
    assert Request("GET", "/", [("A", "1"), ("A", "2")]).headers == (("A", "1"), ("A", "2"))


@pytest.mark.parametrize("headers", [[("A", b"1")], [(b"A", "1")], {"A": None}])
def test_headers_are_text(headers: Any) -> None:
    with pytest.raises(ConfigError, match="is not text: decode bytes as Latin-1"):
        Request("GET", "/", headers)


@pytest.mark.parametrize("body", [bytearray(b"a"), memoryview(b"a")])
def test_a_body_is_kept_as_bytes(body: Any) -> None:
    assert Request("POST", "/", (), body).body == b"a"


@pytest.mark.parametrize("body", ["a", None, [b"a"]])
def test_a_body_is_not_text(body: Any) -> None:
    with pytest.raises(ConfigError, match="the body is bytes or a BodyDigest"):
        Request("POST", "/", (), body)


def test_a_requests_repr_shows_neither_values_nor_query() -> None:
    request = Request("GET", "/p?sig=0123", (("Authorization", "u:s"), ("Date", "d")), b"abc", "https://h")
    assert repr(request) == (
        "Request('GET', '/p?<8 characters>', headers=<Authorization, Date>, body=<3 bytes>, origin='https://h')"
    )
    assert repr(Request("GET", "/p")) == "Request('GET', '/p', headers=<>, body=<0 bytes>, origin='')"


def test_values_are_found_whatever_the_case_and_taken_without_the_space_around_them() -> None:
    request = Request("GET", "/", (("X-a", " 1\t"), ("x-A", "2\xa0"), ("X-B", "3")))
    assert request.values("x-a") == ["1", "2\xa0"]
    assert request.values("x-c") == []


@pytest.mark.parametrize(
    ("headers", "name", "value"),
    [
        ((("X-Date", " a "),), "x-date", "a"),
        ((("X-Date", "a"), ("x-date", "a")), "x-date", None),
        ((("X-Date", "a"), ("X_Date", "b")), "x-date", None),
        ((("X_Date", "a"),), "x-date", None),
        ((("X_Date", " a "),), "x_date", "a"),
        ((("X-Date", "a"),), "x_date", None),
        ((("X_Date", "a"), ("X-Date", "b")), "x_date", None),
        ((), "x_date", None),
    ],
)
def test_a_lone_value_is_that_of_the_one_header_with_the_name_in_any_spelling(
    headers: tuple[tuple[str, str], ...], name: str, value: str | None
) -> None:
    assert lone_value(Request("GET", "/", headers), name) == value


def test_a_media_type_has_no_parameters_and_no_case() -> None:
    request = Request("GET", "/", (("Content-Type", " Text/Plain ; charset=UTF-8"), ("content-type", "")))
    assert request.media_types() == ["text/plain", ""]


def test_a_component_reads_as_its_value() -> None:
    assert f"{Component.CONTENT_TYPE}" == str(Component.CONTENT_TYPE) == "content-type"


# Request.from_url


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("https://h/p?q", "https://h", "/p?q"),
        ("https://h", "https://h", "/"),
        ("https://h?q=1", "https://h", "/?q=1"),
        ("https://h#f", "https://h", "/"),
        ("https://h/p?q#f?g#h", "https://h", "/p?q"),
        ("https://h/?", "https://h", "/?"),
        ("https://h//a/../%7e/./b", "https://h", "//a/../%7e/./b"),
        ("https://h/a b?c d", "https://h", "/a%20b?c%20d"),
        ("https://h/ü?é=%fc", "https://h", "/%C3%BC?%C3%A9=%fc"),
        ("https://h/\u0085", "https://h", "/%C2%85"),
        ("https://h/[]{}|\\^`\"<>'", "https://h", "/[]{}|\\^`\"<>'"),
        ("HTTPS://API.Example.COM:443/P", "https://api.example.com", "/P"),
        ("http://h:80/", "http://h", "/"),
        ("http://h:8080/", "http://h:8080", "/"),
        ("https://[::1]:8443/p", "https://[::1]:8443", "/p"),
        ("https://h/http://u@other/", "https://h", "/http://u@other/"),
    ],
)
def test_a_url_gives_an_origin_and_the_bytes_of_a_target(url: str, origin: str, target: str) -> None:
    request = Request.from_url("GET", url)
    assert (request.origin, request.target) == (origin, target)


def test_a_url_comes_with_method_headers_and_body() -> None:
    request = Request.from_url("POST", "https://h/", {"A": "1"}, b"body")
    assert (request.method, request.headers, request.body) == ("POST", (("A", "1"),), b"body")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("/p", "not absolute"),
        ("h/p", "not absolute"),
        (" https://h/", "not absolute"),
        ("", "not absolute"),
        ("https://u:p@h/", "names a user or a password"),
        ("https://@h/", "names a user or a password"),
        ("https://good\\@evil/", "names a user or a password"),
        ("https://h/\n", "control character"),
        ("https://h/\x00", "control character"),
        ("https://h/#\x7f", "control character"),
        ("https://h\t/", "control character"),
        ("ftp://h/", "origin cannot be used"),
        ("https:///p", "origin cannot be used"),
        ("https://bücher.example/", "origin cannot be used"),
        ("https://h:99999/", "origin cannot be used"),
        ("https://h\\.evil/", "origin cannot be used"),
        ("https://ban\u212a/", "origin cannot be used"),
        ("https://h/\ud800", "lone surrogate"),
    ],
)
def test_a_url_that_cannot_be_sent_as_it_is_signed_is_refused(url: str, message: str) -> None:
    with pytest.raises(CannotSign, match=message) as caught:
        Request.from_url("GET", url)
    assert "u:p" not in str(caught.value)


# Targets


@pytest.mark.parametrize(
    ("target", "form"),
    [
        ("/p?q", "/p?q"),
        ("//h/p", "//h/p"),
        ("http://h/p?q", "/p?q"),
        ("HTTPS://u@h:1/p", "/p"),
        ("http://h", "/"),
        ("http://h?q", "/?q"),
        ("http://h#f", "/#f"),
        ("*", "*"),
        ("h:443", "h:443"),
        ("ftp://h/p", "ftp://h/p"),
        ("http\u017f://h/p", "http\u017f://h/p"),
    ],
)
def test_an_absolute_target_is_reduced_to_path_and_query(target: str, form: str) -> None:
    assert origin_form(target) == form


# Fields of queries and forms


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        ("", ()),
        ("sig=1", (("sig", "1"),)),
        ("sig", (("sig", ""),)),
        ("sig==%31+", (("sig", "=%31+"),)),
        ("&&sig=1&&v&", (("sig", "1"), ("v", ""))),
        ("s%69g=1&%73%69%67=2", (("sig", "1"), ("sig", "2"))),
        ("a=sig&sig2=1&Sig=1& sig=1", ()),
        ("sig%00=1&sig[]=2", ()),
        ("%" * 10_000, ()),
    ],
)
def test_fields_are_found_by_their_decoded_name(encoded: str, expected: object) -> None:
    assert fields(encoded, ["sig", "v"]) == expected


@pytest.mark.parametrize("name", ["ü", "键键", "\U0001f511", "a b"])
def test_a_name_is_found_however_it_is_escaped(name: str) -> None:
    escaped = "".join(f"%{byte:02x}" for byte in name.encode())
    plain = name.encode().decode("latin-1").replace(" ", "+")
    assert fields(f"{escaped}=1&{plain}=2", [name]) == ((name, "1"), (name, "2"))


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        ("a", "a"),
        ("a+b", "a b"),
        ("%41%zz%", "A%zz%"),
        ("%c3%BC", "ü"),
        ("\xc3\xbc", "ü"),
        ("%ff", "\ufffd"),
        ("Ā", "?"),
    ],
)
def test_a_field_is_decoded(encoded: str, text: str) -> None:
    assert decode_field(encoded) == text


def test_a_field_that_is_not_utf_8_is_told_apart_where_it_matters() -> None:
    with pytest.raises(UnicodeDecodeError):
        decode_field("%ff", "strict")


# Patch


def test_a_patched_header_stands_where_the_first_of_its_name_stood() -> None:
    request = Request("GET", "/", (("A", "1"), ("date", "2"), ("B", "3"), ("DATE", "4")))
    patched = Patch(headers=(("Date", "5"), ("New", "6"))).apply(request)
    assert patched.headers == (("A", "1"), ("Date", "5"), ("B", "3"), ("New", "6"))


@pytest.mark.parametrize(
    ("target", "patched"),
    [
        ("/p", "/p?n=%C3%BC%20~%26%2B"),
        ("/p?", "/p?n=%C3%BC%20~%26%2B"),
        ("/p?a=%2f&&b", "/p?a=%2f&&b&n=%C3%BC%20~%26%2B"),
        ("/p?a&", "/p?a&n=%C3%BC%20~%26%2B"),
        ("/p?&", "/p?&n=%C3%BC%20~%26%2B"),
        ("/p?n=old&b=?", "/p?n=%C3%BC%20~%26%2B&b=?"),
        ("/p?a&n&b", "/p?a&n=%C3%BC%20~%26%2B&b"),
        ("/p?%6E=1", "/p?%6E=%C3%BC%20~%26%2B"),
    ],
)
def test_a_query_field_is_replaced_in_place_or_appended(target: str, patched: str) -> None:
    assert Patch(query=(("n", "ü ~&+"),)).apply(Request("GET", target)).target == patched


def test_a_form_field_changes_the_body_and_its_length() -> None:
    headers = (("content-length", "3"), ("Transfer-Encoding", "chunked"), ("A", "1"))
    patched = Patch(form=(("n", "1"),)).apply(Request("POST", "/", headers, b"\xff=a"))
    assert patched.body == b"\xff=a&n=1"
    assert patched.headers == (("Content-Length", "7"), ("A", "1"))


@pytest.mark.parametrize("patch", [Patch(query=(("n", "1"),)), Patch(form=(("n", "1"),))])
def test_a_field_that_is_there_twice_is_refused(patch: Patch) -> None:
    with pytest.raises(CannotSign, match="the parameter 'n' is there 2 times"):
        patch.apply(Request("POST", "/?n&%6e=2", (), b"n&%6e=2"))


@pytest.mark.parametrize("pair", [("n", "\ud800"), ("\ud800", "n")])
def test_a_field_that_is_no_text_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(CannotSign, match="lone surrogate"):
        Patch(query=(pair,)).apply(Request("GET", "/"))


def test_a_form_that_has_streamed_past_cannot_be_patched() -> None:
    with pytest.raises(CannotSign, match="the form is streamed"):
        Patch(form=(("n", "1"),)).apply(Request("POST", "/", (), BodyDigest({}, 3)))


@pytest.mark.parametrize(
    ("url", "patched"),
    [
        ("https://h/p", "https://h/p?n=1"),
        ("https://h", "https://h?n=1"),
        ("https://h/p?a=b&&#f?g", "https://h/p?a=b&&n=1#f?g"),
        ("https://h/ü?ü=ü#ü", "https://h/ü?ü=ü&n=1#ü"),
        ("https://h/\ud800?n", "https://h/\ud800?n=1"),
    ],
)
def test_a_url_is_patched_like_the_target_it_stands_for(url: str, patched: str) -> None:
    assert Patch(query=(("n", "1"),)).url(url) == patched


def test_a_url_without_anything_to_set_stays() -> None:
    assert Patch(headers=(("A", "1"),)).url("https://h?") == "https://h?"


def test_a_url_with_a_field_that_is_there_twice_is_refused() -> None:
    with pytest.raises(CannotSign, match="the parameter 'n' is there 2 times"):
        Patch(query=(("n", "1"),)).url("https://h/?n=1&n=2")


def test_a_patchs_repr_shows_names_alone() -> None:
    patch = Patch((("Authorization", "u:s"),), (("sig", "0"), ("v", "1")), (("f", "2"),))
    assert repr(patch) == "Patch(headers=<Authorization>, query=<sig, v>, form=<f>)"
    assert repr(Patch()) == "Patch()"


def test_the_later_of_two_patches_wins() -> None:
    together = Patch(headers=(("A", "1"), ("B", "1"))) + Patch(headers=(("a", "2"), ("C", "2")))
    assert together.headers == (("a", "2"), ("B", "1"), ("C", "2"))


def test_two_patches_set_the_fields_of_both() -> None:
    together = Patch(query=(("a", "1"),), form=(("f", "1"),)) + Patch(query=(("b", "2"),), form=(("g", "2"),))
    assert together.query == (("a", "1"), ("b", "2"))
    assert together.form == (("f", "1"), ("g", "2"))


# Digests


def test_a_digest_is_made_while_the_body_streams_past() -> None:
    hasher = BodyHasher(["md5", "sha256"])
    for piece in (b"ab", bytearray(b"c"), memoryview(b"")):
        hasher.update(piece)
    digest = hasher.result()
    assert digest == BodyDigest({"md5": "900150983cd24fb0d6963f7d28e17f72", "sha256": digest.digests["sha256"]}, 3)
    assert digest.digests["sha256"] == hashlib.sha256(b"abc").hexdigest()
    assert hash(digest) == hash(BodyDigest(dict(digest.digests), 3))
    assert body_length(digest) == body_length(b"abc") == 3


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_a_body_and_its_digest_have_one_hash(algorithm: str) -> None:
    hasher = BodyHasher([algorithm])
    hasher.update(b"abc")
    expected = hashlib.new(algorithm, b"abc", usedforsecurity=False).hexdigest()
    assert body_hex_digest(b"abc", algorithm) == body_hex_digest(hasher.result(), algorithm) == expected
    assert body_digest(b"abc", algorithm) == body_digest(hasher.result(), algorithm) == bytes.fromhex(expected)


def test_a_digest_that_was_not_made_is_asked_for_by_name() -> None:
    with pytest.raises(CannotSign, match="the BodyDigest has no md5"):
        body_hex_digest(BodyDigest({"sha1": "0"}, 1), "md5")


def test_the_headers_are_sorted_by_name_in_time_that_grows_with_their_number_alone() -> None:
    request = Request("GET", "/", (("a", "b"),) * 200_000)
    before = time.process_time()
    assert len(request.values("a")) == 200_000
    assert time.process_time() - before < 5  # some tenths; squared it would be a minute


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (("a" * 2000, "b" * 48), True),
        (("a" * 2000, "b" * 49), False),
        (tuple(f"x{number}" for number in range(64)), True),
        (tuple(f"x{number}" for number in range(65)), False),
    ],
)
def test_the_places_of_names_that_are_many_or_long_are_not_kept(names: tuple[str, ...], kept: bool) -> None:
    places = Request("GET", "/", tuple((name, "") for name in names)).by_name()
    assert places == {name: place for place, name in enumerate(names)}
    assert (names in _PLACES) is kept


def test_the_places_of_no_more_than_256_sets_of_names_are_kept() -> None:
    for number in range(600):
        Request("GET", "/", ((f"made-up-{number}", ""),)).by_name()
        assert len(_PLACES) <= 256
