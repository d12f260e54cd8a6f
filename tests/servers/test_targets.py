"""The target that is verified is the one on the wire, or there is a clear error. Server checks 1 to 5 and 20."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_port

from .echo_app import KEY_ID
from .matrix import ROOTED, SERVERS, Running, Server, Start, run_command, skip_without
from .wire import GOGRID, GOTOM, message, send, signed

UNUSUAL = [
    "/a%2Fb",
    "//a/b",
    "/%7e",
    "/~",
    "/a/b",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "/a;b=1/c",
    "/%61",
    "/%C3%A9%e9",
    "/a+b%20c",
    "/a?q=%2f&&z=%7E&",
    "/a?x=//../&y=a+b",
    "/a??",
    "/a?b?c",
    "/a%3Fb",
    "/!$&'()*,:@[]|",
]


def by_name(name: str) -> Server:
    return next(server for server in SERVERS + ROOTED if server.name == name)


@pytest.mark.parametrize("target", UNUSUAL)
def test_check_01_unusual_targets_verify_or_are_a_clear_error(server: Running, target: str) -> None:
    answer = send(server.port, message(signed(GOTOM, "GET", target)))
    respelled = server.server.respells(target)
    if server.server.name == "werkzeug" and target.startswith("//"):
        # http.server has cut the // down to / when anyone first sees it, and the log says so.
        assert answer.status == 401
        assert "// at the beginning" in server.wait_for(event="rejected", reason="mismatch")[-1]["detail"]
    elif server.server.keeps_target or respelled:
        assert answer.status == 200, server.events(event="rejected")[-1:]
    elif target == "/%61":
        # A letter that nobody needs to escape: the signature does not fit the path as everyone else spells it.
        assert answer.status == 401
        assert "passes the path on decoded" in server.wait_for(event="rejected", reason="mismatch")[-1]["detail"]
    else:
        assert answer.status == 500
        assert b"verify" in answer.body
        assert "no secret of the key fits" in server.wait_for(event="rejected", reason="lossy_target")[-1]["detail"]


@pytest.mark.parametrize("wire", ["/a%2fb", "/a/%62", "//a/b", "/a//b", "/a/b/", "/a/b?", "/a/b?x", "/a/./b", "/A/b"])
def test_check_01_a_target_that_was_changed_on_the_way_is_refused(server: Running, wire: str) -> None:
    answer = send(server.port, message(signed(GOTOM, "GET", "/a/b"), target=wire))
    if answer.status == 200:  # the app does what was signed, as it does not see the difference
        known_for = {
            "//a/b": ("werkzeug", "wsgiref"),
            "/a/b?": ("uvicorn-h11", "uvicorn-httptools", "hypercorn", "granian", "daphne", "gunicorn-asgi"),
        }
        is_decoded = not server.server.keeps_target and wire in ("/a%2fb", "/a/%62", "/a/b?")
        assert is_decoded or server.server.name in known_for[wire]
        assert answer.json()["path"] == "/a/b"
    else:
        assert answer.status == (401 if server.server.keeps_target else 500)


def test_check_01_a_key_that_is_unknown_is_not_told_from_a_wrong_secret(server: Running) -> None:
    answers = {
        send(server.port, message(signed(GOTOM, "GET", target, key_id=key_id, secret="wrong"))).status
        for target in ("/a/b", "/a/%62")
        for key_id in (KEY_ID, "unknown")
    }
    assert answers == ({401} if server.server.keeps_target else {500})


def test_check_01_a_lost_target_does_not_matter_where_none_is_signed(server: Running) -> None:
    assert send(server.port, message(signed(GOGRID, "GET", "/api/grid/server/list?x=1"))).status == 200


def test_check_02_absolute_form_is_the_same_everywhere(server: Running) -> None:
    answer = send(server.port, message(signed(GOTOM, "GET", "/a/b?q=1"), target="http://api.example.com/a/b?q=1"))
    if server.server.keeps_target or answer.status == 200:
        assert answer.status == 200
        assert answer.json()["path"] == "/a/b"
    else:
        assert answer.status == 500


def test_check_02_the_host_of_an_absolute_form_is_no_path(server: Running) -> None:
    """Decoded, the host would hold a slash, and an app that looks there would run what nobody signed."""
    answer = send(server.port, message(signed(GOTOM, "GET", "/b"), target="http://h%2Fadmin/b"))
    if answer.status == 200:
        assert answer.json()["path"] == "/b"


@pytest.mark.parametrize("server", ROOTED, ids=repr, indirect=True)
def test_check_03_the_configured_prefix_verifies(server: Running) -> None:
    """A proxy has taken /api off the target; the client has signed it."""
    for path in ("/items", "/a%2Fb//c", "/apis"):
        request = signed(GOTOM, "GET", f"/api{path}?q=1")
        answer = send(server.port, message(request, target=f"{path}?q=1"))
        assert answer.status == 200, (path, server.events(event="rejected")[-1:])
        without = send(server.port, message(signed(GOTOM, "GET", f"{path}?q=1")))
        assert without.status == 401
    twice = signed(GOTOM, "GET", "/api/api/items")
    if server.server.name.startswith(("uvicorn", "gunicorn")):
        assert send(server.port, message(twice, target="/api/items")).status == 200


def test_check_05_a_forged_prefix_is_ignored(server: Running) -> None:
    forged = "X-Forwarded-Prefix: /api\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: http\r\n"
    extra = forged + "X-Script-Name: /api\r\nX-Original-URL: /api\r\nX-Rewrite-URL: /api\r\nForwarded: host=evil\r\n"
    assert send(server.port, message(signed(GOTOM, "GET", "/items"), extra=extra)).status == 200
    assert send(server.port, message(signed(GOTOM, "GET", "/api"), target="/items", extra=extra)).status == 401


def test_check_05_a_forged_scheme_makes_nothing_secure(server: Running) -> None:
    """uvicorn, gunicorn and uWSGI believe X-Forwarded-Proto from loopback, and then call the request https."""
    extra = "X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\nForwarded: proto=https\r\n"
    answer = send(server.port, message(signed(GOGRID, "GET", "/untold"), extra=extra))
    assert answer.status == 403
    assert "tell the middleware its origin" in server.wait_for(event="rejected", reason="insecure")[-1]["detail"]


@pytest.mark.parametrize("server", [by_name("daphne")], ids=repr, indirect=True)
def test_a_root_path_that_a_header_sets_is_refused(server: Running) -> None:
    """Daphne takes it from anyone and keeps the header to itself; Django and Starlette would run /b for /a/b then.

    With one that does not fit, a mount of Starlette's would run a route that it has for the whole path.
    """
    for root in ("/a", "/%61", "/a/", "/b", "/c", "c"):
        for scheme in (GOTOM, GOGRID):
            forged = message(signed(scheme, "GET", "/a/b"), extra=f"Daphne-Root-Path: {root}\r\n")
            assert send(server.port, forged).status == 500
    public = b"GET /open/items HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
    assert send(server.port, public + b"Daphne-Root-Path: /open\r\n\r\n").status == 500
    assert send(server.port, public + b"\r\n").status == 200
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    upgrade += "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    for extra, status in (("", 101), ("Daphne-Root-Path: /a\r\n", 403), ("Daphne-Root-Path: /c\r\n", 403)):
        handshake = message(signed(GOTOM, "GET", "/a/b"), extra=upgrade + extra)
        assert send(server.port, handshake.replace(b"Connection: close\r\n", b"")).status == status


@pytest.mark.parametrize("server", [by_name("gunicorn")], ids=repr, indirect=True)
def test_a_mount_that_a_header_sets_is_refused(server: Running) -> None:
    """gunicorn takes SCRIPT_NAME from a header of a peer on loopback, and the app would run /b for a signed /a/b."""
    forged = "SCRIPT_NAME: /a\r\n"
    for scheme in (GOTOM, GOGRID):
        assert send(server.port, message(signed(scheme, "GET", "/a/b"), extra=forged)).status == 500
    assert "mounts" in server.wait_for(event="rejected", reason="lossy_target")[-1]["detail"]
    public = b"GET /open/items HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
    assert send(server.port, public + b"\r\n").status == 200
    assert send(server.port, public + b"SCRIPT_NAME: /open\r\n\r\n").status != 200


NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  client_max_body_size 0; proxy_request_buffering off; proxy_http_version 1.1;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{behind}; }} }}
  server {{ listen 127.0.0.1:{decoding}; location / {{ proxy_pass http://127.0.0.1:{behind}/; }} }}
  map $request_uri $below_api {{ ~^/api(?<rest>/.*)$ $rest; }}
  server {{ listen 127.0.0.1:{stripping};
            location /api/ {{ proxy_pass http://127.0.0.1:{prefixed}$below_api; }} }}
}}
"""


@dataclass
class Nginx:
    """nginx in front of a server, on three ports: as documented, with a URI in proxy_pass, and taking /api off."""

    plain: int
    decoding: int
    stripping: int


@pytest.fixture(scope="session", params=[("uvicorn-httptools", "hypercorn-rooted"), ("gunicorn", "gunicorn-rooted")])
def nginx(request: pytest.FixtureRequest, start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    server = Server("nginx", "nginx", lambda port, folder: [], "proxy")
    skip_without(server.missing())
    folder: Path = tmp_path_factory.mktemp("nginx")
    ports = Nginx(free_port(), free_port(), free_port())
    behind, prefixed = (start(by_name(name)).port for name in request.param)
    config = folder / "nginx.conf"
    config.write_text(
        NGINX.format(
            folder=folder,
            port=ports.plain,
            decoding=ports.decoding,
            stripping=ports.stripping,
            behind=behind,
            prefixed=prefixed,
        )
    )
    command = ["nginx", "-p", str(folder), "-c", str(config)]
    for _ in run_command(server, command, ports.plain, folder):
        yield ports


@pytest.mark.parametrize("target", UNUSUAL)
def test_check_20_nginx_with_plain_proxy_pass(nginx: Nginx, target: str) -> None:
    assert send(nginx.plain, message(signed(GOTOM, "GET", target))).status == 200


def test_check_20_nginx_passes_bodies_on(nginx: Nginx) -> None:
    request = signed(GOTOM, "POST", "/a//b", [("Content-Type", "text/plain")], b"x" * 3_000_000)
    for chunked in (False, True):
        answer = send(nginx.plain, message(request, chunked=chunked))
        assert (answer.status, answer.json()["body_bytes"]) == (200, 3_000_000)


@pytest.mark.parametrize("target", UNUSUAL)
def test_nginx_that_takes_a_prefix_off(nginx: Nginx, target: str) -> None:
    wire = "/api" + target
    assert send(nginx.stripping, message(signed(GOTOM, "GET", wire))).status == 200
    assert send(nginx.stripping, message(signed(GOTOM, "GET", target), target=wire)).status == 401


def test_nginx_with_a_uri_in_proxy_pass_loses_the_bytes(nginx: Nginx) -> None:
    """What is refused then is a mismatch: nobody behind can know what the proxy has changed."""
    assert send(nginx.decoding, message(signed(GOTOM, "GET", "/a/b"))).status == 200
    assert send(nginx.decoding, message(signed(GOTOM, "GET", "/a%2Fb"))).status == 401
    assert send(nginx.decoding, message(signed(GOTOM, "GET", "//a/b"))).status == 401
