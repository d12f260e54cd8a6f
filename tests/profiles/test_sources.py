"""Where a profile's secret comes from: each place, and each way in which it may not be there."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from tests.core.leaks import assert_hides
from tests.profiles.conftest import Write
from undersign import ConfigError, Secret
from undersign.profiles import Profile, load_profile
from undersign.profiles.sources import FromCommand

SECRET = "the secret from elsewhere"


def profile(write: Write, place: str) -> Profile:
    return load_profile("a", write(f'[profiles.a]\nscheme = "gotom"\nkey-id = "k"\n{place}\n'))


def python(code: str) -> str:
    return f"secret-command = [{sys.executable!r}, '-c', {code!r}]"


def test_a_variable(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_SECRET", SECRET)
    assert profile(write, 'secret-env = "DEMO_SECRET"').secret() == Secret(SECRET)
    monkeypatch.setenv("DEMO_SECRET", "")
    with pytest.raises(ConfigError, match=r"\[profiles\.a\] the environment variable DEMO_SECRET is empty"):
        profile(write, 'secret-env = "DEMO_SECRET"').secret()
    monkeypatch.delenv("DEMO_SECRET")
    with pytest.raises(ConfigError, match="the environment variable DEMO_SECRET is not set"):
        profile(write, 'secret-env = "DEMO_SECRET"').secret()


def test_a_secret_in_the_place_of_a_variables_or_a_files_name_is_not_repeated(write: Write) -> None:
    for key in ("secret-env", "secret-file"):
        found = profile(write, f'{key} = "hunter2hunter2"')
        with pytest.raises(ConfigError, match=f"that {key} names") as caught:
            found.secret()
        assert "hunter2" not in str(caught.value)
        assert "hunter2" not in str(found.secret_source)


def test_a_file_from_the_folder_of_the_profiles_or_the_home(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    (tmp_path / "secret").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("secret", "~/secret", str(tmp_path / "secret")):
        found = profile(write, f'secret-file = "{name}"')
        assert found.secret() == Secret(SECRET)
        assert not found.risks
    (tmp_path / "secret").chmod(0o644)
    assert found.risks == (f"others may read the file {tmp_path / 'secret'}: chmod 600 {tmp_path / 'secret'}",)
    (tmp_path / "secret").write_text("\n")
    with pytest.raises(ConfigError, match=f"{tmp_path / 'secret'} is empty"):
        profile(write, 'secret-file = "secret"').secret()
    with pytest.raises(ConfigError, match="the file that secret-file names: No such file"):
        profile(write, 'secret-file = "none"').secret()


def test_nobody_is_told_to_change_the_mode_of_a_folder(write: Write, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(mode=0o755)
    found = profile(write, 'secret-file = "folder"')
    assert not found.risks
    with pytest.raises(ConfigError, match="folder: Is a directory"):
        found.secret()


def test_what_a_command_prints_without_a_shell(write: Write) -> None:
    codes = ", ".join(str(byte) for byte in SECRET.encode())
    assert profile(write, python(f"print(bytes([{codes}]).decode())")).secret() == Secret(SECRET)
    words = python("import sys; print(sys.argv[1:], end='')").removesuffix("]") + ", '$HOME;`ls`']"
    assert profile(write, words).secret() == Secret("['$HOME;`ls`']")
    # Standard input may be the body of a call.
    assert profile(write, python("import sys; print(len(sys.stdin.read()))")).secret() == Secret("0")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("secret-command = ['/not/there']", "the command /not/there, of secret-command: No such file or directory"),
        (python("raise SystemExit(3)"), "of secret-command, has failed with exit code 3"),
        (python("pass"), "of secret-command, prints, is empty: an empty secret signs for anyone"),
    ],
)
def test_a_command_that_gives_no_secret(place: str, said: str, write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        profile(write, place).secret()
    assert said in str(caught.value)


def test_what_a_command_prints_before_it_fails_is_not_shown(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        profile(write, python(f"print({SECRET!r}); raise SystemExit(1)")).secret()
    assert_hides(caught.value, "the secret from elsewhere\n")


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


STUBBORN = """
import os, signal, sys
for number in (signal.SIGTERM, signal.SIGPIPE):
    signal.signal(number, signal.SIG_IGN)
with open(sys.argv[1], "w") as file:
    print(os.getpid(), file=file)
while True:
    try:
        os.write(1, b"hunter2" * 1000)
    except BrokenPipeError:
        signal.pause()
"""
WAITING = """
import os, signal, sys
with open(sys.argv[1], "w") as file:
    print(os.getpid(), file=file)
os.write(1, b"hunter2")
{}
signal.pause()
"""


@pytest.mark.linux
def test_a_command_that_prints_for_ever_is_ended_and_what_it_printed_is_not_shown(tmp_path: Path) -> None:
    found = FromCommand((sys.executable, "-c", STUBBORN, str(tmp_path / "pid"))).read()
    assert isinstance(found, ConfigError)
    assert "prints over 65536 bytes, which is too large for a secret: have it print the secret alone" in str(found)
    assert_hides(found, "hunter2")
    assert not is_there(int((tmp_path / "pid").read_text()))


@pytest.mark.linux
@pytest.mark.parametrize("before", ["", "os.close(1)"], ids=["that prints on", "that prints no more"])
def test_a_command_that_waits_for_what_never_comes_is_ended(tmp_path: Path, before: str) -> None:
    found = FromCommand((sys.executable, "-c", WAITING.format(before), str(tmp_path / "pid")), patience=1.0).read()
    assert isinstance(found, ConfigError)
    assert "has not ended within 1 seconds: run it by itself to see what it waits for" in str(found)
    assert_hides(found, "hunter2")
    assert not is_there(int((tmp_path / "pid").read_text()))


@pytest.mark.linux
def test_what_a_command_leaves_running_with_its_output_is_not_waited_for_beyond_the_same_time(tmp_path: Path) -> None:
    """Such as an agent that a password manager starts."""
    found = FromCommand(("sh", "-c", f"sleep 60 & echo $! > {tmp_path / 'pid'}; echo hunter2"), patience=1.0).read()
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert isinstance(found, ConfigError)
    assert "has not ended within 1 seconds" in str(found)


@pytest.mark.parametrize("more", [0, 1])
def test_a_secret_may_have_64_kib(write: Write, tmp_path: Path, more: int) -> None:
    (tmp_path / "secret").write_bytes(b"a" * (64 * 1024 + more))
    (tmp_path / "secret").chmod(0o600)
    for place in (python(f"print('a' * {64 * 1024 + more}, end='')"), 'secret-file = "secret"'):
        if more:
            with pytest.raises(ConfigError, match="over 65536 bytes, which is too large for a secret: ") as caught:
                profile(write, place).secret()
            assert_hides(caught.value, "aaaaaaaa")
        else:
            assert profile(write, place).secret() == Secret("a" * 64 * 1024)


class Keyring(keyring.backend.KeyringBackend):
    """A keyring in memory; it is locked for one service."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        if service == "locked":
            raise keyring.errors.KeyringLocked("the user has said no")
        if service == "gone":
            raise AttributeError("the bus has gone")
        return {("undersign", "k"): SECRET, ("undersign", "other"): "the secret of another"}.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


def test_the_systems_keyring(write: Write) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())  # type: ignore[no-untyped-call]  # keyring's own
    try:
        assert profile(write, 'secret-keyring = "undersign"').secret() == Secret(SECRET)
        other = profile(write, 'secret-keyring = { service = "undersign", user = "other" }')
        assert other.secret() == Secret("the secret of another")
        with pytest.raises(ConfigError, match="the keyring, service none, user k has no password: add it with keyring"):
            profile(write, 'secret-keyring = "none"').secret()
        with pytest.raises(ConfigError, match="service locked, user k cannot be asked: KeyringLocked"):
            profile(write, 'secret-keyring = "locked"').secret()
        with pytest.raises(ConfigError, match="service gone, user k cannot be asked: AttributeError"):
            profile(write, 'secret-keyring = "gone"').secret()
    finally:
        keyring.set_keyring(before)


def test_a_secret_that_is_not_in_the_schemes_form_is_told_with_the_profile(write: Write) -> None:
    text = '[profiles.a]\nscheme = "standard-webhooks"\nsecret = "not base64!"\n'
    with pytest.raises(ConfigError, match=r"config\.toml: \[profiles\.a\] .*") as caught:
        load_profile("a", write(text)).secret()
    assert_hides(caught.value, "not base64!")


def test_a_profile_without_a_place_of_its_secret(write: Write) -> None:
    with pytest.raises(ConfigError, match=r"\[profiles\.a\] it names no place of a secret: add secret-env"):
        profile(write, "").secret()
