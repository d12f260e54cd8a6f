"""The canary finds what shows a secret or a signature, in each kind of output, and says where without showing it."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from urllib.parse import quote

import pytest

from tests.canary import CANARY, EXPLAINED, Canary, plugin, spellings
from undersign import ConfigError, Credential, Secret
from undersign.core.credentials import NO_SECRET

SECRET = b"a canary's own sec\xc3\xa9t"
SIGNATURE = "kQH5HW/8p1uGOVjbgWA7Fg=="


def found(*values: object) -> list[str]:
    canary = Canary(in_test=True)
    canary.emit("a place", *values)
    canary.note_secret(SECRET)  # after it was shown, as it may be
    canary.note_signature(SIGNATURE)
    return [finding.what for finding in canary.search()]


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        SECRET.decode(),
        repr([SECRET.decode()]),
        f"x{SECRET.hex()}x",
        base64.b64encode(SECRET),
        "/?q=" + quote(SECRET, safe=""),
        b"\xff" * 70_000 + SECRET,
        {"nested": (SECRET.decode(),)},
    ],
)
def test_a_secret_is_found_however_it_is_written(text: object) -> None:
    assert found(text) == ["secret"]


def test_a_signature_is_found() -> None:
    assert found(f"gotom_app_api u:{SIGNATURE}, and more") == ["signature"]
    assert found("nothing of either", b"", None, Secret(SECRET)) == []


def test_what_is_said_does_not_show_it() -> None:
    canary = Canary()
    canary.note_secret(SECRET)
    canary.emit("a log", f"the key is {SECRET.decode()} now")
    [finding] = canary.search()
    assert str(finding) == "a secret shows in a log: 'the key is <secret> now'"
    assert canary.search() == []


def test_what_is_made_outside_of_tests_is_remembered_and_the_rest_is_not() -> None:
    canary = Canary()
    canary.note_secret(SECRET)
    canary.in_test = True
    canary.note_secret(b"another secret of a test")
    canary.search()
    canary.emit("a place", SECRET, b"another secret of a test")
    assert len(canary.search()) == 1


def test_words_and_what_is_public_are_no_secrets() -> None:
    canary = Canary()
    canary.note_secret(b"secret")
    canary.note_secret(NO_SECRET.reveal())
    canary.emit("a place", b"secret", NO_SECRET.reveal())
    assert canary.search() == []


def test_a_frame_of_the_library_that_raises_is_looked_into() -> None:
    canary = Canary()
    canary.note_secret(SECRET)
    with pytest.raises(ConfigError) as caught:
        Credential("a key that is long enough", "x", ["no origin"])
    canary.emit_error("an error", caught.value)
    assert any("the local key_id of __init__" in kind for kind, _ in canary.pieces)
    assert canary.search() == []
    canary.emit_error("an error", ConfigError(SECRET.decode()))
    assert [finding.kind for finding in canary.search()] == ["an error"]


def test_it_watches_this_very_test(request: pytest.FixtureRequest) -> None:
    if not request.config.pluginmanager.has_plugin("canary"):  # a run of its own has it
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n0", request.node.nodeid]
        watched = subprocess.run(command, env={**os.environ, "UNDERSIGN_CANARY": "1"}, cwd=request.config.rootpath)
        assert watched.returncode == 0
        return
    secret = Secret(b"a secret that this test alone has")
    assert set(spellings(secret.reveal())) <= CANARY.private.keys()


def test_every_explanation_says_why() -> None:
    assert plugin()
    assert EXPLAINED.read_text(encoding="utf-8").count('"why"') == EXPLAINED.read_text(encoding="utf-8").count('"kind"')
