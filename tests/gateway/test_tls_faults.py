"""What operators are told of TLS that cannot be spoken: with the upstream, and with clients."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from trustme import CA

from tests.cli.command import process
from tests.gateway.harness import Scripted, get, running, status_of, talk
from undersign import GoTom
from undersign.gateway import Forwarder, SigningProxy
from undersign.gateway.exchange import Exchange


@pytest.mark.parametrize("http2", [False, True])
def test_an_upstream_that_speaks_plain_http_is_no_matter_of_permissions(http2: bool) -> None:
    """The number in an error of TLS is none of the system's: 1 is not EPERM."""
    details: list[str] = []

    def told(exchange: Exchange) -> None:
        details.append(getattr(exchange.failure, "detail", ""))

    def script(connection: socket.socket, number: int) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Scripted(script) as upstream:
        origin = f"https://127.0.0.1:{upstream.port}"
        forwarder = Forwarder(http2=http2)
        proxy = SigningProxy(GoTom(), "me", "a secret", origins=[origin], forwarder=forwarder, on_failure=told)
        with running(proxy) as port:
            assert status_of(talk(port, get("/"))) == 502
    assert details == [f"127.0.0.1:{upstream.port}: WRONG_VERSION_NUMBER"]


def test_a_key_with_a_passphrase_and_no_terminal_is_told_of(tmp_path: Path) -> None:
    issued = CA().issue_cert("localhost")
    plain = load_pem_private_key(issued.private_key_pem.bytes(), None)
    encrypted = plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    (tmp_path / "key.pem").write_bytes(encrypted)
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    tls = ("--tls-cert", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem")
    found = process("proxy", "--key-id", "me", "--origin", "http://h", "--listen", "127.0.0.1:0", *tls)
    assert found.code == 2
    assert found.err.endswith("; a passphrase is asked for on a terminal alone\n")
