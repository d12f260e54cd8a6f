"""A file or a command that never ends where a secret, a token or keys should be: it is refused, and fills no memory."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.replay.topologies import eventually

from .command import COMMAND, environment

pytestmark = pytest.mark.linux  # /dev/zero, and a bound for the memory of a process

ENDLESS = "/dev/zero"
SIGNING = ("sign", "GET", "https://api.example.com/", "--scheme", "gotom", "--key-id", "k")
PROXY = ("proxy", "--key-id", "k", "--origin", "https://api.example.com", "--listen", "127.0.0.1:0")
GATEWAY = ("gateway", "--scheme", "bokun", "--upstream", "http://127.0.0.1:9", "--listen", "127.0.0.1:0")


def error_of(*arguments: str, profiles: Path | None = None) -> str:
    """The error of a command that may have 2 GiB of memory."""
    import resource

    done = subprocess.run(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment({"UNDERSIGN_CONFIG": None if profiles is None else str(profiles)}),
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)),
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "arguments",
    [(*SIGNING, "--secret-file", ENDLESS), (*PROXY, "--secret-file", ENDLESS), (*PROXY, "--token-file", ENDLESS)],
)
def test_a_file_of_a_secret_or_a_token_that_never_ends(arguments: tuple[str, ...]) -> None:
    said = "/dev/zero: it is over 65536 bytes, which is too large for a secret: name a file that holds it alone"
    assert said in error_of(*arguments)


def test_a_file_of_keys_that_never_ends() -> None:
    said = "/dev/zero: it is over 67108864 bytes, which is too large for a file of keys"
    assert said in error_of("verify", "--scheme", "gotom", "--keys", ENDLESS, "--origin", "https://h", "-")
    assert "/dev/zero is no regular file" in error_of(*GATEWAY, "--keys", ENDLESS)


def test_settings_of_a_gateway_that_never_end() -> None:
    said = "/dev/zero: it is over 262144 bytes, which is too large for settings"
    assert said in error_of("gateway", "--settings", ENDLESS)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (f'secret-file = "{ENDLESS}"', "/dev/zero: it is over 65536 bytes, which is too large for a secret"),
        ('secret-command = ["yes", "hunter2"]', "the command yes, of secret-command, prints over 65536 bytes"),
        ('secret-command = ["cat", "/dev/zero"]', "which is too large for a secret: have it print the secret alone"),
    ],
)
def test_a_place_in_a_profile_that_never_ends(place: str, said: str, tmp_path: Path) -> None:
    profiles = tmp_path / "config.toml"
    profiles.write_text(f'[profiles.a]\nscheme = "gotom"\nkey-id = "k"\n{place}\n', encoding="utf-8")
    error = error_of("sign", "GET", "https://api.example.com/", "--profile", "a", profiles=profiles)
    assert said in error
    assert "hunter2" not in error


def test_a_file_of_profiles_that_never_ends() -> None:
    error = error_of("sign", "GET", "https://api.example.com/", "--profile", "a", profiles=Path(ENDLESS))
    assert "/dev/zero: it is over 262144 bytes, which is too large for a file of profiles" in error


def test_a_file_of_a_recipe_that_never_ends() -> None:
    assert "/dev/zero: it is over 1048576 bytes, which is too large for a recipe" in error_of(
        "sign", "GET", "https://api.example.com/", "--recipe", ENDLESS
    )


@pytest.mark.usefixtures("interrupts")
def test_ctrl_c_while_a_command_is_waited_for_leaves_no_process(tmp_path: Path) -> None:
    noted, profiles = tmp_path / "pid", tmp_path / "config.toml"
    os.mkfifo(noted)
    words = ["sh", "-c", f"echo $$ > {noted}; exec sleep 600"]
    profiles.write_text(f'[profiles.a]\nscheme = "gotom"\nkey-id = "k"\nsecret-command = {words}\n', encoding="utf-8")
    with subprocess.Popen(
        [*COMMAND, "sign", "GET", "https://api.example.com/", "--profile", "a"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment({"UNDERSIGN_CONFIG": str(profiles)}),
    ) as process:
        pid = int(noted.read_text(encoding="utf-8"))  # waits for who writes
        threads = Path(f"/proc/{process.pid}/task")
        eventually(lambda: len(list(threads.iterdir())) == 2, "one of them reads what the command prints")
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (130, b"")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
