"""Keys in a file: a change is taken, and what is no good version is not."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from tests.core.leaks import assert_hides
from tests.core.plain import NOW, SECRET, USER, gogrid_request, gotom_request
from undersign import AsyncVerifier, ConfigError, GoGrid, GoTom, Reason, Rejected, Secret, Verifier
from undersign.keys import KeyFile, load_keys

SCHEMES = ["gotom", "gogrid"]


class Clock:
    """Seconds that go up when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class File:
    """A file of keys, its reader, and the time between."""

    def __init__(self, path: Path, text: str, schemes: list[str] | None = SCHEMES) -> None:
        self.path = path
        self.write(text)
        self.clock = Clock()
        self.keys = KeyFile(path, schemes, interval=1.0, clock=self.clock)

    def write(self, text: str) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(self.path)

    def secrets(self, key_id: str, scheme: str = "gotom", *, after: float = 0) -> list[str]:
        self.clock.now += after
        return [secret.reveal().decode() for secret in self.keys(key_id, scheme)]

    def settle(self) -> None:
        """Let two looks go by."""
        for _ in range(2):
            self.secrets("", after=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def test_a_byte_order_mark_is_no_part_of_a_file(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbf[keys]\na = "1"\n')
    assert [secret.reveal() for secret in KeyFile(path)("a", "gotom")] == [b"1"]


def test_a_file_verifies(path: Path) -> None:
    path.write_text(f'[keys]\n{USER} = ["newer", "{SECRET}"]\n', encoding="utf-8")
    keys = KeyFile(path)
    verified = Verifier(GoTom(), keys, clock=lambda: NOW).verify(gotom_request())
    assert (verified.key_id, verified.secret_index) == (USER, 1)
    assert AsyncVerifier(GoTom(), keys)


def test_a_key_of_one_scheme_is_no_key_of_another(path: Path) -> None:
    path.write_text(f'[keys-for.gotom]\nkey = "{SECRET}"\n', encoding="utf-8")
    verifier = Verifier([GoTom(), GoGrid()], KeyFile(path, SCHEMES), clock=lambda: NOW)
    with pytest.raises(Rejected) as caught:
        verifier.verify(gogrid_request())
    assert caught.value.reason is Reason.UNKNOWN_KEY


@pytest.mark.parametrize("schemes", [SCHEMES, None])
def test_a_schemes_own_table_stands_before_the_common_one(path: Path, schemes: list[str] | None) -> None:
    file = File(path, '[keys]\na = "1"\nb = ["2", "3"]\n[keys-for.gogrid]\na = "4"\nc = "5"\n', schemes)
    assert [file.secrets(key_id) for key_id in "abc"] == [["1"], ["2", "3"], []]
    assert [file.secrets(key_id, "gogrid") for key_id in "abc"] == [["4"], ["2", "3"], ["5"]]
    assert file.secrets("a", "") == ([] if schemes else ["1"])
    assert file.secrets("a", "another") == ([] if schemes else ["1"])


def test_a_change_is_taken_once_two_looks_agree(path: Path) -> None:
    file = File(path, '[keys]\na = "1"\n')
    file.write('[keys]\na = "2"\n')
    assert file.secrets("a", after=0.5) == ["1"]
    assert file.secrets("a", after=0.5) == ["1"]
    assert file.secrets("a", after=0.5) == ["1"]
    assert file.secrets("a", after=0.5) == ["2"]


def test_a_file_that_is_being_written_is_left_until_it_is_whole(path: Path) -> None:
    file = File(path, '[keys]\na = "1"\nb = "1"\n')
    text = '[keys]\na = "2"\nb = "2"\n'
    for end in range(len(text)):
        with path.open("w", encoding="utf-8") as half:
            half.write(text[:end])
        assert file.secrets("a", after=1) + file.secrets("b") == ["1", "1"]
    path.write_text(text, encoding="utf-8")
    file.settle()
    assert file.secrets("a") + file.secrets("b") == ["2", "2"]


def test_a_change_within_the_tick_of_the_first_reading_is_found(path: Path) -> None:
    file = File(path, '[keys]\na = "1"\n')
    before = path.stat()
    with path.open("r+", encoding="utf-8") as same_file:
        same_file.write('[keys]\na = "2"\n')
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    file.settle()
    assert file.secrets("a") == ["2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no table of keys"),
        ("# nothing yet\n", "there is no table of keys"),
        ('[keys]\nb = "2"\na = the-new-secret\n', "keys.toml, line 3: not TOML"),
        ('a = "the-new-secret"\n', "'a' stands in no table: write [keys] above it"),
        ('[keys-for]\na = "the-new-secret"\n', "'a' is below [keys-for]: write [keys-for.SCHEME] there"),
        ('[keys]\na = "the-new-secret', "not TOML"),
        ('[keys]\na = ["the-new-secret", ""]\n', "none of them empty"),
        ('[keys-for.another]\na = "the-new-secret"\n', "not in use"),
        ('[key]\na = "the-new-secret"\n', "unknown table"),
        ('keys = "the-new-secret"\n', "is a table"),
        ("[keys]\na = " + "[" * 5000, "not TOML"),
    ],
)
def test_a_version_that_is_no_good_leaves_the_last_good_one(
    path: Path, text: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = File(path, '[keys]\na = "the-old-secret"\n')
    file.write(text)
    with caplog.at_level(logging.WARNING, "undersign"):
        for _ in range(10):
            assert file.secrets("a", after=1) == ["the-old-secret"]
    assert len(caplog.messages) == 1
    assert said in caplog.text
    assert "-secret" not in caplog.text.replace(path.name, "")
    file.write('[keys]\nb = "3"\n')
    file.settle()
    assert file.secrets("a") + file.secrets("b") == ["3"]


def test_a_file_that_goes_leaves_what_it_held_until_it_is_back(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = File(path, '[keys]\na = "1"\n')
    path.unlink()
    for _ in range(10):
        assert file.secrets("a", after=1) == ["1"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "No such file" in caplog.text
    file.write("[keys]\n")
    file.settle()
    assert file.secrets("a") == []


def test_a_lookup_does_not_look_at_the_file_each_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = File(path, '[keys]\na = "1"\n')
    file.settle()
    looks: list[Path] = []
    monkeypatch.setattr("undersign.keys.file._stamp", looks.append)
    for _ in range(100):
        file.secrets("a")
        file.secrets("unknown")
    assert looks == []


@pytest.mark.parametrize(
    "text", ["", "[keys", '[keys]\na = "the-secret"\nb = ""\n', '[keys-for.gotm]\na = "the-secret"\n']
)
def test_a_file_that_is_no_good_at_the_start_is_a_mistake(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"keys\.toml") as caught:
        KeyFile(path, SCHEMES)
    assert_hides(caught.value, "the-secret")
    if text:
        with pytest.raises(ConfigError, match=r"keys\.toml") as caught:
            load_keys(path, SCHEMES)
        assert_hides(caught.value, "the-secret")


def test_a_file_that_is_missing_at_the_start_is_a_mistake(path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        KeyFile(path)


def test_scheme_names_are_several(path: Path) -> None:
    with pytest.raises(ConfigError, match="is a sequence"):
        KeyFile(path, "gotom")


def test_a_file_of_keys_shows_no_secret(path: Path) -> None:
    file = File(path, '[keys]\na = "the-secret"\n')
    assert "the-secret" not in repr(file.keys) + repr(vars(file.keys))
    assert file.keys("a", "gotom") == (Secret("the-secret"),)


def test_a_file_that_is_half_written_is_left_until_it_is_whole_however_often_it_is_looked_at(path: Path) -> None:
    """With `interval=0` two looks may come between two writes."""
    path.write_text('[keys]\na = "1"\nb = "2"\n', encoding="utf-8")
    clock = Clock()
    keys = KeyFile(path, interval=0, clock=clock)
    path.write_text('[keys]\na = "3"\n', encoding="utf-8")  # and the line of b is still to come
    for _ in range(5):
        clock.now += 0.01
        assert [secret.reveal() for secret in keys("b", "gotom")] == [b"2"]
    path.write_text('[keys]\na = "3"\nb = "4"\n', encoding="utf-8")
    for _ in range(3):
        clock.now += 0.3
        keys("b", "gotom")
    assert [secret.reveal() for secret in keys("b", "gotom")] == [b"4"]


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_it_is_said_that_others_may_write_the_file(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_text('[keys]\na = "a-secret"\n', encoding="utf-8")
    path.chmod(0o644)
    KeyFile(path)
    assert not caplog.records
    path.chmod(0o646)
    for read in (lambda: KeyFile(path), lambda: load_keys(path, ["gotom"])):
        caplog.clear()
        read()
        assert caplog.messages == [f"every user of this machine may write the keys in {path}: chmod o-w"]
