"""requests: a URL that is taken for normal is one that requests itself leaves as it is."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from requests import PreparedRequest

from undersign.clients._requests_signing import normalise_url

CHARACTERS = st.text("aZ09._~!$&'()*+,;=:@/?-%{}|\\^` \"<>[]#é2fF", max_size=12)
AUTHORITIES = st.sampled_from(
    [
        "api.example.com",
        "API.example.com",
        "api.example.com:80",
        "api.example.com:65535",
        "a-.example",
        "127.0.0.1:5000",
    ]
)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["http", "https", "HTTP"]), AUTHORITIES, CHARACTERS, CHARACTERS)
@example("https", "api.example.com", "a/../b", "x=1")
@example("https", "api.example.com", "a//b/.", "x=/../")
@example("https", "api.example.com", "//a", "")
@example("https", "api.example.com", "%7ea%2f", "%7e")
def test_normalising_is_what_requests_would_do(scheme: str, authority: str, path: str, query: str) -> None:
    url = f"{scheme}://{authority}/{path}?{query}"
    by_requests, by_us = PreparedRequest(), PreparedRequest()
    by_us.__dict__["url"] = url
    try:
        by_requests.prepare_url(url, None)
    except ValueError:  # requests' own errors about URLs
        return
    for written in (url, by_requests.url or ""):
        by_requests.prepare_url(written, None)
        by_us.__dict__["url"] = written
        normalise_url(by_us)
        host, slash, target = (by_requests.url or "").partition("://")[2].partition("/")
        assert (by_us.url or "").partition("://")[2] == f"{host}{slash}{target.lstrip('/')}"
