"""What signatures must cover, by method and path."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from tests.core.plain import NOW, SECRET, USER, gogrid_form, gogrid_request, gotom_request, refused
from undersign import AsyncVerifier, Component, ConfigError, GoGrid, GoTom, Reason, Rejected, Request, Verifier
from undersign.policy import Requirements
from undersign.policy.paths import Paths

WRITES = Requirements(writes={Component.BODY})
KEYS = {"gotom": {USER: SECRET}, "gogrid": {"key": SECRET}}


def _verifier(require: Any) -> Verifier:
    return Verifier([GoTom(), GoGrid()], KEYS, clock=lambda: NOW, require=require)


def _required(method: str, target: str, requirements: Requirements) -> frozenset[Component]:
    return requirements(Request(method, target))


def test_a_scheme_that_covers_the_time_alone_may_read_and_not_write() -> None:
    verifier = _verifier(WRITES)
    assert verifier.verify(gogrid_request()).key_id == "key"
    assert verifier.verify(gotom_request("POST", "/a", b"{}")).key_id == USER
    for request in (gogrid_form(), gogrid_request("POST")):
        rejected = refused(verifier, request)
        assert (rejected.reason, rejected.key_id) == (Reason.INSECURE, "key")
        assert "body" in rejected.detail


def test_it_is_the_same_for_an_async_verifier() -> None:
    verifier = AsyncVerifier([GoTom(), GoGrid()], KEYS, clock=lambda: NOW, require=WRITES)
    assert asyncio.run(verifier.verify(gogrid_request())).scheme == "gogrid"
    with pytest.raises(Rejected, match="does not cover"):
        asyncio.run(verifier.verify(gogrid_form()))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_safe_methods_do_not_write(method: str) -> None:
    assert not _required(method, "/", WRITES)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "LINK"])
def test_all_others_do(method: str) -> None:
    assert _required(method, "/", WRITES) == {Component.BODY}


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "x_http_method_override"])
def test_a_safe_method_that_a_header_may_override_writes(name: str) -> None:
    assert WRITES(Request("GET", "/", ((name, "DELETE"),))) == {Component.BODY}


@pytest.mark.parametrize(
    ("target", "is_meant"),
    [
        ("/admin", True),
        ("/admin/", True),
        ("/admin/users?x=/y", True),
        ("/orders", True),
        ("/orders/", True),
        ("/orders?x", True),
        ("/users", True),
        ("/users/", True),
        ("/users/7", False),
        ("/orders/7", False),
        ("/administration", False),
        ("/", False),
        ("/?/admin/", False),
        ("/%61dmin/users", True),
        ("/x/../admin", True),
        ("//admin", True),
        ("/x;y", True),
    ],
)
def test_paths_hold_for_every_target_that_may_mean_them(target: str, is_meant: bool) -> None:
    paths = ("/admin/*", "/orders", "/users/")
    requirements = Requirements(paths={path: {Component.TARGET} for path in paths})
    assert _required("GET", target, requirements) == ({Component.TARGET} if is_meant else set())


def test_what_holds_for_several_reasons_adds_up() -> None:
    requirements = Requirements(
        always={Component.DATE}, writes={Component.BODY}, paths={"/*": {Component.TARGET}, "/a": {Component.METHOD}}
    )
    assert _required("POST", "/a", requirements) == {"date", "body", "target", "method"}
    assert requirements.named() == {"date", "body", "target", "method"}


def test_any_callable_will_do() -> None:
    def require(head: Request) -> Collection[Component]:
        return {Component.TARGET} if head.target.startswith("/api/grid/server") else ()

    verifier = _verifier(require)
    assert refused(verifier, gogrid_request()).reason is Reason.INSECURE
    assert verifier.verify(gogrid_request(target="/api/grid/ip/list")).key_id == "key"


class _Rules(dict[str, Collection[Component]]):
    def __call__(self, head: Request) -> Collection[Component]:
        return self.get(head.method, {Component.BODY})


def test_a_callable_that_counts_as_false_is_asked_too() -> None:
    assert refused(_verifier(_Rules()), gogrid_request()).reason is Reason.INSECURE


@pytest.mark.parametrize("answer", [None, "body", {"boddy"}, 1])
def test_a_callable_that_gives_no_components_lets_nobody_in(answer: Any) -> None:
    rejected = refused(_verifier(lambda head: answer), gotom_request())
    assert (rejected.reason, rejected.key_id) == (Reason.UNAVAILABLE, USER)


def test_a_callable_that_fails_lets_nobody_in() -> None:
    def require(head: Request) -> Collection[Component]:
        raise OSError("secret text")

    rejected = refused(_verifier(require), gotom_request())
    assert rejected.reason is Reason.UNAVAILABLE
    assert "secret text" not in str(rejected)


def test_what_no_scheme_covers_cannot_be_required() -> None:
    with pytest.raises(ConfigError, match="no scheme covers what is required: body"):
        Verifier(GoGrid(), KEYS["gogrid"], require=WRITES)
    with pytest.raises(ConfigError, match="gogrid never covers what is required: body"):
        _verifier({Component.BODY})


@pytest.mark.parametrize("path", ["orders", "", "/a b", "/%61", "/a/../b", "//", "*", "/a*"])
def test_a_path_that_is_not_plain_cannot_be_named(path: str) -> None:
    with pytest.raises(
        ConfigError,
        match=r"the required path .* is not plain: begin it with /, .* between single slashes, without dot segments",
    ):
        Requirements(paths={path: {Component.BODY}})


@pytest.mark.parametrize("wanted", ["body", {"boddy"}, [1]])
def test_what_is_no_component_cannot_be_named(wanted: Any) -> None:
    with pytest.raises(ConfigError, match="require"):
        Requirements(writes=wanted)


def test_paths() -> None:
    paths = Paths(["/a", "/b/*"], "public")
    assert [path in paths for path in ("/a", "/a/", "/b", "/b/", "/b/c/d")] == [True, False, False, True, True]
    assert paths
    assert not paths.are_all
    assert Paths(["/*"], "public").are_all
    assert not Paths([], "public")
    assert Paths(["/a"], "public")
    assert Paths(["/b/*"], "public")
