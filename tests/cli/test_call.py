"""`undersign call` sends every byte as it was signed, and brings every byte of the answer back."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, KEY_ID, SECRET, Serving, environment, process, undersign
from tests.clients.wire import OK, WireServer, redirect
from tests.ports import free_port
from undersign import GoGrid, GoTom, HttpHmac, Verifier
from undersign.cli.output import replacing

FORM = "application/x-www-form-urlencoded"
MEBIBYTE = 1024 * 1024


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), b"Connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@contextmanager
def answering(response: bytes) -> Iterator[WireServer]:
    with WireServer(lambda raw: response) as running:
        yield running


def test_status_headers_and_body_are_printed(server: Serving) -> None:
    result = undersign("call", "post", server.url + "/a/../b//c%2F%7e?x=%2f&&y", "--key-id", KEY_ID, stdin=b"{}\n\0")
    head, _, body = result.out.partition(b"\n\n")
    assert result.code == 0
    assert head.startswith(b"HTTP/1.1 200 OK\nContent-Type: application/json\n")
    assert json.loads(body) == {
        "scheme": "gotom",
        "key_id": KEY_ID,
        "method": "POST",
        "target": "/a/../b//c%2F%7e?x=%2f&&y",
        "body_bytes": 4,
        "body_md5": hashlib.md5(b"{}\n\0", usedforsecurity=False).hexdigest(),
    }


@pytest.mark.parametrize(
    "target",
    ["/", "/../a/./b/../", "//a//", "/%7e%2F%2f%E9?a=%2f&&b=+%20", "/[1-3]{a,b}?[]{}", "/p?", "/\\\"<>|^`';", "?q", ""],
)
def test_the_targets_bytes_are_kept(target: str, wire: WireServer) -> None:
    assert undersign("call", "GET", wire.url + target, "--key-id", KEY_ID).code == 0
    expected = target if target.startswith("/") else "/" + target
    assert wire.requests[0].startswith(f"GET {expected} HTTP/1.1\r\n".encode())
    wire.verified(Verifier(GoTom(), {KEY_ID: SECRET}))


def test_a_fragment_is_neither_sent_nor_signed(wire: WireServer) -> None:
    undersign("call", "GET", wire.url + "/x#fragment", "--key-id", KEY_ID)
    assert wire.requests[0].startswith(b"GET /x HTTP/1.1\r\n")
    wire.verified(Verifier(GoTom(), {KEY_ID: SECRET}))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("body", [b"", b"@/etc/hostname", b"\0\xff\r\n\n\n"])
def test_bodies_are_framed_whatever_the_method(method: str, body: bytes) -> None:
    response = OK.replace(b"\r\n\r\nok", b"\r\n\r\n") if method == "HEAD" else OK
    with answering(response) as wire:
        assert undersign("call", method.lower(), wire.url + "/x", "--key-id", KEY_ID, stdin=body).code == 0
        received = wire.received()
        assert (received.method, received.body) == (method, body)
        assert received.values("transfer-encoding") == []
        wire.verified(Verifier(GoTom(), {KEY_ID: SECRET}))


def test_slow_input_is_read_to_its_end(server: Serving) -> None:
    arguments = [*COMMAND, "call", "PUT", server.url + "/x", "--key-id", KEY_ID]
    call = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
    assert call.stdin
    assert call.stdout
    with call:
        call.stdin.write(b"first ")
        call.stdin.flush()
        # It must still be waiting once a whole command of the same kind has come and gone.
        assert undersign("call", "GET", server.url + "/x", "--key-id", KEY_ID).code == 0
        assert call.poll() is None
        call.stdin.write(b"second")
        call.stdin.close()
        assert json.loads(call.stdout.read().partition(b"\n\n")[2])["body_bytes"] == 12


def test_a_file_is_sent_from_where_it_stands(wire: WireServer, tmp_path: Path) -> None:
    content = os.urandom(2 * MEBIBYTE)
    (tmp_path / "body").write_bytes(b"skip" + content)
    with (tmp_path / "body").open("rb", buffering=0) as stream:
        stream.seek(4)
        assert process("call", "PUT", wire.url + "/x", "--key-id", KEY_ID, stdin=stream).code == 0
    assert wire.received().body == content
    wire.verified(Verifier(GoTom(), {KEY_ID: SECRET}))


def test_headers_are_sent_and_may_be_signed(wire: WireServer) -> None:
    signed = ("X-A", "Host", "User-Agent", "Content-Length")
    result = undersign(
        "call", "POST", wire.url + "/", "--key-id", KEY_ID, "--scheme", "http-hmac", "-o", "provider=p", "-o",
        f"signed_headers={','.join(signed)}", "-H", "X-A: é", "-H", "Content-Type: text/plain", stdin=b"x",
    )  # fmt: skip
    assert result.code == 0
    assert wire.received().values("x-a") == ["é".encode().decode("latin-1")]
    assert wire.received().values("content-type") == ["text/plain"]
    wire.verified(Verifier(HttpHmac(provider="p", signed_headers=signed), {KEY_ID: SECRET}))


@pytest.mark.parametrize("headers", [(), ("-H", f"Content-Type: {FORM}")], ids=["query", "form"])
def test_a_keyed_timestamp(headers: tuple[str, ...], wire: WireServer) -> None:
    options = ("--scheme", "gogrid", "-o", "allow_http=true", "--key-id", "k+&", *headers)
    assert undersign("call", "POST", wire.url + "/../x?a=%2f&&b", *options, stdin=b"name=w%20b").code == 0
    received = wire.received()
    assert received.target.startswith("/../x?a=%2f&&b")
    assert isinstance(received.body, bytes)
    assert received.body.startswith(b"name=w%20b")
    wire.verified(Verifier(GoGrid(allow_http=True), {"k+&": SECRET}))


def test_a_keyed_timestamp_over_plain_http_needs_to_be_allowed(wire: WireServer) -> None:
    result = undersign("call", "GET", wire.url + "/", "--scheme", "gogrid", "--key-id", "k")
    assert result.code == 2
    assert "allow_http" in result.error
    assert not wire.requests


def test_a_form_that_is_too_large_to_sign_within(wire: WireServer) -> None:
    options = ("--scheme", "gogrid", "-o", "allow_http=true", "--key-id", "k", "-H", f"Content-Type: {FORM}")
    result = undersign("call", "POST", wire.url + "/", *options, stdin=b"a=" + b"x" * MEBIBYTE)
    assert result.code == 2
    assert "1048576 bytes" in result.error


def test_redirects_are_printed_and_not_followed() -> None:
    with WireServer() as target, answering(redirect(307, target.url + "/y")) as wire:
        result = undersign("call", "POST", wire.url + "/x", "--key-id", KEY_ID, stdin=b"x")
        assert result.code == 0
        assert result.out.startswith(b"HTTP/1.1 307 Moved\nLocation: ")
        assert (len(wire.requests), len(target.requests)) == (1, 0)


def test_the_answers_body_is_printed_byte_for_byte() -> None:
    body = bytes(range(256)) * 1000
    with answering(answer(body, b"Content-Encoding: gzip")) as wire:
        result = undersign("call", "GET", wire.url + "/", "--key-id", KEY_ID)
    assert result.out.partition(b"\n\n")[2] == body


def test_headers_of_the_answer_cannot_steer_the_terminal() -> None:
    with answering(answer(b"", b"X-Evil: \x1b[2J\xc2\x9b", b"X-Fine: \xc3\xa9 \xe9", status=b"200 \x1b]0;x")) as wire:
        result = undersign("call", "GET", wire.url + "/", "--key-id", KEY_ID)
    assert b"\x1b" not in result.out
    assert "X-Evil: \\x1b[2J\\x9b\n" in result.text
    assert result.text.startswith("HTTP/1.1 200 \\x1b]0;x\n")


def test_a_status_of_400_or_more_exits_1_and_prints_the_body(server: Serving) -> None:
    result = undersign("call", "GET", server.url + "/", "--key-id", KEY_ID, env={"UNDERSIGN_SECRET": "wrong"})
    assert result.code == 1
    assert result.out.startswith(b"HTTP/1.1 401 Unauthorized\n")
    assert result.out.endswith(b'\n\n"Signature not valid"')


def test_an_answer_that_comes_before_the_body_was_sent_is_printed(server: Serving, tmp_path: Path) -> None:
    with (tmp_path / "body").open("wb") as file:
        file.truncate(32 * MEBIBYTE)
    arguments = ("--key-id", KEY_ID, "--at", "1730974875", "--data", tmp_path / "body")
    result = undersign("call", "PUT", server.url + "/", *arguments)
    assert result.code == 1
    assert result.out.endswith(b'\n\n"Signature not valid"')


def test_the_clock_can_be_told(server: Serving) -> None:
    assert undersign("call", "GET", server.url + "/", "--key-id", KEY_ID, "--at", "1730974875").code == 1


def test_output_takes_the_place_of_a_file_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    file, link = tmp_path / "body", tmp_path / "link"
    file.write_bytes(b"old")
    file.chmod(0o640)
    link.symlink_to(file)
    with answering(answer(b"\0new\n")) as wire:
        result = undersign("call", "GET", wire.url + "/", "--key-id", KEY_ID, "--output", link)
    assert (result.code, result.out[-2:]) == (0, b"\n\n")
    assert link.is_symlink()
    assert file.read_bytes() == b"\0new\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (answer(b"x" * 99)[:-1], 2),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 2),
        (answer(b"no", status=b"403 Forbidden"), 1),
    ],
    ids=["short", "broken off", "refused"],
)
def test_output_leaves_an_older_file_alone_unless_all_went_well(response: bytes, code: int, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"old")
    with answering(response) as wire:
        result = undersign("call", "GET", wire.url + "/", "--key-id", KEY_ID, "--output", tmp_path / "body")
    assert result.code == code
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("body", b"old")]
    if code == 1:
        assert result.out.endswith(b"\n\nno")
    else:
        assert "broke off" in result.error


def test_output_into_what_is_no_regular_file() -> None:
    with answering(answer(b"x")) as wire:
        assert undersign("call", "GET", wire.url + "/", "--key-id", KEY_ID, "--output", "/dev/null").code == 0
    assert not Path("/dev/null").is_file()


def test_a_file_that_cannot_be_written_is_called_as_its_user_calls_it(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not-there") as caught, replacing(tmp_path / "not-there" / "x"):
        pass
    assert caught.value.filename == str(tmp_path / "not-there" / "x")


def test_output_into_a_directory_that_is_not_there_is_found_before_anything_is_sent() -> None:
    result = undersign(
        "call", "GET", f"http://127.0.0.1:{free_port()}/", "--key-id", KEY_ID, "--output", "/not/there/x"
    )
    assert result.code == 2
    assert result.error == "undersign: --output /not/there/x: the directory is not there\n"


def test_trouble_on_the_way_is_one_line(server: Serving) -> None:
    plain = server.url.partition("://")[2]
    for url, said in (
        (f"http://127.0.0.1:{free_port()}/", "cannot connect"),
        ("http://no-such-host.invalid/", "cannot connect"),
        (f"https://{plain}/", "SSL"),
    ):
        result = undersign("call", "GET", url, "--key-id", KEY_ID)
        assert result.code == 2
        assert said in result.error


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        (
            "http://user:hunter2@127.0.0.1:{port}",
            "cannot connect to http://no-such-host.invalid through the proxy of HTTP",
        ),
        ("socks5://user:hunter2@127.0.0.1:{port}", "SOCKS needs pip install 'httpx[socks]'"),
        ("ftp://user:hunter2@127.0.0.1:{port}", "a proxy of HTTP_PROXY, HTTPS_PROXY or ALL_PROXY cannot be used"),
    ],
)
def test_a_proxy_of_the_environment_is_named_where_it_is_the_trouble(proxy: str, said: str) -> None:
    env = {"HTTP_PROXY": proxy.format(port=free_port()), "NO_PROXY": None}
    result = undersign("call", "GET", "http://no-such-host.invalid/", "--key-id", KEY_ID, env=env)
    assert result.code == 2
    assert said in result.error
    assert "hunter2" not in result.error


def test_a_silent_server_is_not_waited_for_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        result = undersign("call", "GET", url, "--key-id", KEY_ID, "--timeout", "0.2")
    assert result.code == 2
    assert "did not answer within 0.2 seconds" in result.error


@pytest.mark.parametrize("response", [b"", b"hello\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"])
def test_what_is_no_answer_is_one_line(response: bytes) -> None:
    with answering(response) as wire:
        result = undersign("call", "GET", wire.url + "/", "--key-id", KEY_ID)
    assert result.code == 2
    assert "broke off" in result.error


def test_a_header_that_frames_the_body_is_refused() -> None:
    for header in ("Content-Length: 1", "transfer-encoding: chunked"):
        result = undersign("call", "GET", "http://127.0.0.1:1/", "--key-id", KEY_ID, "-H", header)
        assert result.code == 2
        assert "set by call itself" in result.error


def test_a_file_that_shrinks_while_it_is_sent_is_said_so(tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"x" * (64 * MEBIBYTE))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        arguments = [*COMMAND, "call", "PUT", url, "--key-id", KEY_ID, "--data", str(file)]
        with subprocess.Popen(arguments, stderr=subprocess.PIPE, env=environment()) as call:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1)
                os.truncate(file, MEBIBYTE)
                while connection.recv(MEBIBYTE):
                    pass
            assert call.stderr
            assert call.stderr.read() == b"undersign: the body became shorter while it was sent\n"
        assert call.returncode == 2


def test_an_output_that_is_closed_half_way_is_passed_over_in_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        arguments = [*COMMAND, "call", "GET", url, "--key-id", KEY_ID]
        with subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        ) as call:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(MEBIBYTE)
                assert call.stdout
                call.stdout.close()
                connection.sendall(answer(b"x" * (4 * MEBIBYTE)))
            assert call.stderr
            assert call.stderr.read() == b""
        assert call.returncode == 2


@pytest.mark.usefixtures("interrupts")
def test_ctrl_c_ends_it_quietly() -> None:
    assert _interrupted() == (b"", 130)


IN_A_DESTRUCTOR = """
import signal, time
import undersign.cli.app

class Late:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

def run(arguments):
    Late()
    Late()
    time.sleep(60)
    return 0

undersign.cli.app.run = run
undersign.cli.main()
"""


@pytest.mark.usefixtures("interrupts")
def test_ctrl_c_that_falls_into_a_destructor_is_not_lost() -> None:
    """Python drops what a destructor raises."""
    done = subprocess.run([sys.executable, "-c", IN_A_DESTRUCTOR], capture_output=True, env=environment(), timeout=50)
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 130)


def _interrupted() -> tuple[bytes, int]:
    """What a call says on standard error, and its exit code, when it is interrupted while it waits for an answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        arguments = [*COMMAND, "call", "GET", url, "--key-id", KEY_ID]
        with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment()) as call:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1)
                call.send_signal(signal.SIGINT)
                assert call.stderr
                said = call.stderr.read()
    return said, call.returncode


@pytest.mark.linux
@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_bars_are_for_terminals_and_leave_the_output_alone(tmp_path: Path) -> None:
    import pty

    body = os.urandom(2 * MEBIBYTE)
    (tmp_path / "sent").write_bytes(body)
    ours, theirs = pty.openpty()
    with answering(answer(body)) as wire:
        arguments = [*COMMAND, "call", "PUT", wire.url + "/", "--key-id", KEY_ID, "--data", str(tmp_path / "sent")]
        with subprocess.Popen(
            [*arguments, "--output", str(tmp_path / "received")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=theirs,
            env=environment({"TERM": "xterm"}),
        ) as call:
            os.close(theirs)
            shown = b""
            with suppress(OSError):  # Linux ends a pseudo-terminal with an error
                while piece := os.read(ours, 65536):
                    shown += piece
            assert call.stdout
            out = call.stdout.read()
        os.close(ours)
        assert call.returncode == 0, shown
        assert (tmp_path / "received").read_bytes() == wire.received().body == body
    assert b"sent" in shown
    assert b"received" in shown
    assert out.startswith(b"HTTP/1.1 200 OK\n")
    assert out.endswith(b"\n\n")


MEASURED = """
import re, sys
from pathlib import Path
from undersign.cli import main
try:
    main()
finally:
    peak = re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())
    sys.stderr.write(f"peak {peak[1]}\\n")
"""


def peak(pid: int | str) -> int:
    """The most memory that a process has held, in kB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


@pytest.mark.linux
@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("scheme", ["gotom", "gogrid"])
def test_large_bodies_take_constant_memory(scheme: str, server: Serving, tmp_path: Path) -> None:
    options = ["--scheme", scheme, *(["-o", "allow_http=true"] if scheme == "gogrid" else [])]
    arguments = [sys.executable, "-c", MEASURED, "call", "POST", server.url + "/x", "--key-id", KEY_ID, *options]

    def feed(stream: int) -> None:
        with open(stream, "wb") as pipe:
            pipe.writelines(bytes(MEBIBYTE) for _ in range(64))

    def call(write: Callable[[int], None] | None) -> int:
        read_end, write_end = os.pipe()
        thread = threading.Thread(target=write or os.close, args=(write_end,))
        thread.start()
        done = subprocess.run(arguments, stdin=read_end, capture_output=True, env=environment(), timeout=60)
        os.close(read_end)
        thread.join()
        assert done.returncode == 0, done.stderr.decode()
        if write and scheme == "gotom":
            assert json.loads(done.stdout.partition(b"\n\n")[2])["body_bytes"] == 64 * MEBIBYTE
        return int(done.stderr.decode().split()[-1])

    small = call(None)
    server_small = peak(server.process.pid)
    large = call(feed)
    assert large - small < 16 * 1024
    assert peak(server.process.pid) - server_small < 16 * 1024
