"""`undersign proxy` on the command line: what it asks for before it signs for anyone, and how it ends."""

from __future__ import annotations

import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

import pytest
import trustme

from tests.cli.command import KEY_ID, SECRET, environment, undersign
from tests.clients.wire import OK, WireServer
from tests.gateway.harness import Scripted, get, head_of, read_all, status_of, talk
from tests.gateway.http2_upstream import Echo, Http2Upstream
from tests.gateway.process import proxying
from tests.ports import free_port
from undersign import GoTom, Request, Verifier
from undersign.core.message import headers_as_text

ORIGIN = "https://api.example"
TLS = "--listen 127.0.0.1:0 --tls-cert not-there.pem --tls-key not-there.pem"


def fetched(url: str, context: ssl.SSLContext | None = None, body: bytes | None = None, host: str = "") -> bytes:
    asked = urllib.request.Request(url, body, {"Host": host} if host else {})  # noqa: S310 - the proxy of a test
    with urllib.request.urlopen(asked, timeout=30, context=context) as answer:  # noqa: S310 - the same
        found: bytes = answer.read()
        return found


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "--origin"),
        (("--origin", ORIGIN), "--key-id"),
        (("--origin", "api.example", "--key-id", "u"), "not an origin"),
        (("--origin", ORIGIN, "--key-id", "u", "--listen", "8081"), "HOST:PORT"),
        (("--origin", ORIGIN, "--key-id", "u", "--listen", "unix:here"), "unix:/path"),
        (
            ("--origin", ORIGIN, "--key-id", "u", "--listen", "unix:/not/there"),
            "cannot listen on unix:/not/there: No such",
        ),
        (("--origin", ORIGIN, "--key-id", "u", "--listen", "127.0.0.1:99999"), "HOST:PORT"),
        (("--origin", ORIGIN, "--key-id", "u", "--listen", "0.0.0.0:0"), "not loopback"),
        (("--origin", ORIGIN, "--key-id", "u", "--listen", "[::]:0"), "not loopback"),
        (("--origin", ORIGIN, "--key-id", "u", "--tls-cert", "a.pem"), "--tls-key"),
        (("--origin", ORIGIN, "--key-id", "u", "--client-ca", "a.pem"), "--tls-cert"),
        (("--origin", ORIGIN, "--key-id", "u", "--nonce", "1"), "--nonce"),
        (("--origin", ORIGIN, "--key-id", "u", "--token-env", "UNDERSIGN_NO_SUCH_TOKEN"), "UNDERSIGN_NO_SUCH_TOKEN"),
        (("--origin", ORIGIN, "--key-id", "u", "--token-env", "x"), "the environment variable that --token-env names"),
        (
            ("--origin", ORIGIN, "--key-id", "u", "--token-env", "x", "--token-file", "x"),
            "--token-env and --token-file",
        ),
        (("--origin", ORIGIN, "--key-id", "u", *TLS.split()), "not-there.pem: No such file or directory"),
        (("--origin", ORIGIN, "--key-id", "u", *TLS.replace("not-there.pem", __file__).split()), "is to be PEM"),
    ],
)
def test_what_would_not_be_safe_or_clear_is_refused(arguments: tuple[str, ...], sentence: str) -> None:
    result = undersign("proxy", *arguments)
    assert result.code == 2
    assert sentence in result.error


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        result = undersign("proxy", "--origin", ORIGIN, "--key-id", "u", "--listen", listen)
    assert "cannot listen" in result.error


def test_the_upstream_is_spoken_to_in_http2_where_that_is_asked_for() -> None:
    echo = Echo()
    with (
        Http2Upstream(echo) as upstream,
        proxying("--key-id", KEY_ID, "--origin", upstream.url, "--upstream-http2") as proxy,
    ):
        assert fetched(f"{proxy.url}//a/../%7e", body=b"abc") == b"ok"
    [asked] = echo.asked
    headers = [("host", asked.value(b":authority").decode()), *headers_as_text(asked.headers[4:])]
    request = Request("POST", asked.value(b":path").decode(), headers, asked.body, upstream.url)
    assert request.target == "//a/../%7e"
    assert Verifier(GoTom(), {KEY_ID: SECRET}).verify(request).key_id == KEY_ID


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no such sockets")
def test_a_unix_socket_is_for_its_owner_alone() -> None:
    # pytest's folders have names that are too long for such a socket.
    with tempfile.TemporaryDirectory() as folder, WireServer() as upstream:
        path = Path(folder) / "proxy"
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(str(path))
        options = ("--key-id", KEY_ID, "--origin", upstream.url, "--listen", f"unix:{path}")
        with proxying(*options) as proxy, socket.socket(socket.AF_UNIX) as connection:
            assert proxy.url == f"unix:{path}"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            again = undersign("proxy", *options)
            assert f"cannot listen on unix:{path}: Address already in use" in again.error
            connection.connect(str(path))
            connection.sendall(get("/a").replace(b"127.0.0.1", b"anything"))
            assert read_all(connection).endswith(b"\r\n\r\nok")
        upstream.verified(Verifier(GoTom(), {KEY_ID: SECRET}))
        assert (proxy.code, path.exists()) == (0, False)


def test_a_profile_says_all_of_it(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    with WireServer() as upstream:
        config.write_text(
            f'[profiles.demo]\nscheme = "gotom"\nkey-id = "{KEY_ID}"\nsecret-env = "UNDERSIGN_SECRET"\n'
            f'origins = ["{upstream.url}"]\n',
            encoding="utf-8",
        )
        with proxying("--profile", "demo", "--config", config) as proxy:
            assert fetched(f"{proxy.url}/a", body=b"abc") == b"ok"
            upstream.verified(Verifier(GoTom(), {KEY_ID: SECRET}))
        elsewhere = undersign("proxy", "--profile", "demo", "--config", config, "--origin", ORIGIN)
        assert f"the profile allows {upstream.url} alone" in elsewhere.error
    assert proxy.code == 0


def test_a_profile_without_origins_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '[profiles.demo]\nscheme = "gotom"\nkey-id = "u"\nsecret-env = "UNDERSIGN_SECRET"\n', encoding="utf-8"
    )
    assert "names no origins" in undersign("proxy", "--profile", "demo", "--config", config).error


def test_the_log_says_which_upstream_is_not_there_and_why() -> None:
    """The client learns no address of it."""
    gone = f"127.0.0.1:{free_port()}"
    with proxying("--key-id", KEY_ID, "--origin", f"http://{gone}") as proxy:
        answer = talk(int(proxy.url.rpartition(":")[2]), get("/a?sig=abc"))
    assert status_of(answer) == 502
    assert gone.encode() not in answer
    assert [line for line in proxy.log if " 502: " in line] == [
        f"GET /a 502: The upstream could not be reached ({gone}: Connection refused)"
    ]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03", "- - 400: This is TLS, and plain HTTP is spoken here"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0", "- - 400: This is HTTP/2, and HTTP/1.1 is spoken here"),
        (b"LIST /a?sig=abc HTTP/1.1\r\n", "or its method is not known here"),
        (b"GET /a HTTP/1.1\r\nContent-Length: x\r\n\r\n", "- - 400: This is not HTTP/1.1 as a proxy can pass it on"),
        (b"GET /" + b"a" * 70_000, "- - 431: The head of the request is over 65536 bytes"),
    ],
)
def test_what_is_no_request_is_a_line_of_the_log_too(sent: bytes, said: str) -> None:
    """A client that speaks TLS, or HTTP/2 by prior knowledge, can read no answer; who looks at the log sees why."""
    with proxying("--key-id", KEY_ID, "--origin", ORIGIN) as proxy:
        talk(int(proxy.url.rpartition(":")[2]), sent)
    [line] = [line for line in proxy.log if line.startswith("- -")]
    assert said in line
    assert "abc" not in line


def test_what_is_in_flight_ends_before_the_proxy_does() -> None:
    """And what the proxy has answered itself is a line each on standard error, without its query."""
    goes_on, came = threading.Event(), threading.Event()

    def script(connection: socket.socket, number: int) -> None:
        head_of(connection)
        came.set()
        goes_on.wait(30)
        connection.sendall(OK)

    with Scripted(script) as upstream, proxying("--key-id", KEY_ID, "--origin", upstream.url) as proxy:
        port = int(proxy.url.rpartition(":")[2])
        assert status_of(talk(port, get("http://evil.example/a?sig=abc"))) == 403
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(get("/"))
            assert came.wait(30)
            proxy.process.send_signal(signal.SIGTERM)
            while True:  # it takes nothing new
                try:
                    socket.create_connection(("127.0.0.1", port), 30).close()
                except OSError:
                    break
            goes_on.set()
            assert read_all(connection).endswith(b"\r\n\r\nok")
        assert proxy.process.wait(30) == 0
    [line] = [line for line in proxy.log if " 403: " in line]
    assert line.startswith("GET /a 403: ")
    assert "abc" not in line


STARTING = """
import gc, os, signal, socket, sys
from undersign.gateway.serving import serve

async def app(scope, receive, send):
    while scope["type"] == "lifespan":
        await send({"type": (await receive())["type"] + ".complete"})

gc.disable()  # so that the only collection is the one before the server runs
gc.callbacks.append(lambda phase, info: phase == "start" and os.kill(os.getpid(), int(sys.argv[1])))
with socket.create_server(("127.0.0.1", 0)) as listener:
    serve(app, listener, ready=lambda: None)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_while_it_starts_ends_it_too(number: signal.Signals) -> None:
    command = [sys.executable, "-c", STARTING, str(int(number))]
    assert subprocess.run(command, timeout=30, check=False, env=environment()).returncode == 0


def test_mutual_tls_lets_in_whoever_has_a_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    served = authority.issue_cert("127.0.0.1", "proxy.internal")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    served.private_key_pem.write_to_path(tmp_path / "key.pem")
    for pem in served.cert_chain_pems:
        pem.write_to_path(tmp_path / "cert.pem", append=True)
    files = ("--tls-cert", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem", "--client-ca", tmp_path / "ca.pem")
    with WireServer() as upstream, proxying("--key-id", KEY_ID, "--origin", upstream.url, *files) as proxy:
        assert proxy.url.startswith("https://")
        stranger, known = (ssl.create_default_context(cafile=str(tmp_path / "ca.pem")) for _ in range(2))
        authority.issue_cert("client@example.org").configure_cert(known)
        assert fetched(f"{proxy.url}/a", known) == b"ok"
        assert fetched(f"{proxy.url}/a", known, host="proxy.internal:8443") == b"ok"
        with pytest.raises(OSError):  # noqa: PT011 - of TLS or of the connection, as the version of TLS has it
            fetched(f"{proxy.url}/a", stranger)
        assert len(upstream.requests) == 2
