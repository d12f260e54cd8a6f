"""A profile: what the file may say, where it is, and every mistake in it by line, key and remedy."""

from __future__ import annotations

import os
import pickle
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from tests.core.leaks import assert_hides
from tests.profiles.conftest import Write
from undersign import ConfigError, GoTom, HttpHmac, Secret, Signer, Window
from undersign.presets import okx
from undersign.profiles import config_file, load_profile
from undersign.profiles.document import Problem
from undersign.profiles.reading import Profiles, read_profiles

DEMO = """
[profiles.demo]
scheme = "gotom"
key-id = "crm_sync"
secret-env = "DEMO_SECRET"
origins = ["https://demo.gotom.io/", "https://demo.gotom.io:443"]
"""


def test_a_profile_is_a_scheme_who_signs_a_place_of_the_secret_and_origins(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = load_profile("demo", write(DEMO))
    assert (profile.name, profile.scheme, profile.key_id) == ("demo", GoTom(), "crm_sync")
    assert profile.origins == ("https://demo.gotom.io",)
    monkeypatch.setenv("DEMO_SECRET", "the first of the secrets")
    assert profile.credential().secret == Secret("the first of the secrets")
    monkeypatch.setenv("DEMO_SECRET", "the second of the secrets")  # it is read late, and each time anew
    assert profile.credential().secret == Secret("the second of the secrets")
    assert Signer(profile.scheme, profile.credential()).credential.origins == profile.origins


def test_a_profile_is_frozen_and_holds_no_secret(write: Write) -> None:
    secret = "a secret in the file of profiles"
    profile = load_profile("demo", write(DEMO.replace('secret-env = "DEMO_SECRET"', f'secret = "{secret}"')))
    assert profile.secret() == Secret(secret)
    assert secret not in repr(profile)
    assert secret not in str(vars(profile))
    pickled = pickle.dumps(profile)
    assert secret.encode() not in pickled
    assert pickle.loads(pickled) == profile
    assert hash(pickle.loads(pickled)) == hash(profile)
    with pytest.raises(FrozenInstanceError):
        profile.key_id = "other"  # type: ignore[misc]


def test_options_are_as_toml_has_them_or_as_the_command_line_writes_them(write: Write) -> None:
    head = '[profiles.x]\nscheme = "http-hmac"\nkey-id = "k"\n[profiles.x.options]\nprovider = "acme"\n'
    expected = HttpHmac(provider="acme", signed_headers=("X-A", "X-B"), window=Window(60, 0), drop_blank_headers=True)
    for options in (
        'signed_headers = ["X-A", "X-B"]\nwindow = { past = 60, future = 0 }\ndrop_blank_headers = true',
        'signed_headers = "X-A,X-B"\nwindow = "60,0"\ndrop_blank_headers = "true"',
    ):
        assert load_profile("x", write(head + options)).scheme == expected


def test_a_recipe_is_found_from_the_folder_of_the_file(write: Write, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nparts = ["time", "method", "target"]\njoiner = "."\nmac = "hmac-sha256"\n'
        'time = "unix"\nwindow = { past = 300, future = 300 }\n'
        '[headers]\nX-Time = "{time}"\nX-Signature = "{signature}"\n'
    )
    text = (
        '[profiles.x]\nrecipe = "mine.toml"\n[profiles.x.options]\nmac = "hmac-sha512"\nwindow = {past=9, future=1}\n'
    )
    profile = load_profile("x", write(text))
    assert profile.scheme.name == "mine"
    assert profile.key_id == "mine"  # it sends no key id
    assert "hmac-sha512" in repr(profile.scheme)


def test_extras_come_from_the_same_places(write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert okx().extras == ("passphrase",)
    monkeypatch.setenv("DEMO_PASSPHRASE", "the passphrase of the demo")
    (tmp_path / "pass").write_text("the passphrase of the demo\n")
    head = '[profiles.x]\nscheme = "okx"\nkey-id = "k"\nsecret-env = "DEMO_PASSPHRASE"\n[profiles.x.extras]\n'
    head += "passphrase = "
    for value in ('"the passphrase of the demo"', '{ env = "DEMO_PASSPHRASE" }', '{ file = "pass" }'):
        profile = load_profile("x", write(head + value))
        assert profile.credential().extra == {"passphrase": "the passphrase of the demo"}
        assert "the passphrase" not in repr(profile)
    with pytest.raises(ConfigError, match=r"okx sends 'passphrase' too: add extras\.passphrase"):
        load_profile("x", write(head.partition("[profiles.x.extras]")[0])).credential()


def test_the_file_is_the_one_given_else_that_of_the_variable_else_in_the_users_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("UNDERSIGN_CONFIG", raising=False)
    usual = tmp_path / ".config" / "undersign" / "config.toml"
    assert config_file() == usual
    monkeypatch.setenv("XDG_CONFIG_HOME", "not/absolute")
    assert config_file() == usual
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert config_file() == tmp_path / "xdg" / "undersign" / "config.toml"
    monkeypatch.setenv("UNDERSIGN_CONFIG", "~/mine.toml")
    assert config_file() == tmp_path / "mine.toml"
    assert config_file("given.toml") == Path("given.toml")


NOBODY = "~no-such-user-of-undersign"


def test_a_home_that_is_not_known_is_said_so(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose it is, nobody knows; or the user has no entry, as in many containers."""
    monkeypatch.setenv("UNDERSIGN_CONFIG", f"{NOBODY}/config.toml")
    with pytest.raises(ConfigError, match=f"{NOBODY}/config.toml: whose home that is, is not known"):
        config_file()
    with pytest.raises(ConfigError, match="No such file or directory"):
        load_profile("a", write(HEAD + f'secret-file = "{NOBODY}/secret"')).secret()
    with pytest.raises(ConfigError, match=f"{NOBODY}/x.toml: No such file or directory"):
        load_profile("a", write(f'[profiles.a]\nrecipe = "{NOBODY}/x.toml"\nkey-id = "k"'))


@pytest.mark.parametrize("name", [None, 5, b"a", ["a"]])
def test_what_is_no_name_is_said_so(name: Any, write: Write) -> None:
    with pytest.raises(ConfigError, match=f"a profile is its name, as text, or a Profile, not {type(name).__name__}"):
        load_profile(name, write(HEAD))


def test_a_name_stands_as_the_file_has_it(write: Write) -> None:
    found = load_profile("my api", write(HEAD.replace("profiles.a", 'profiles."my api"')))
    with pytest.raises(ConfigError, match=r'\[profiles\."my api"\] it names no place of a secret'):
        found.secret()


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_no_file_is_a_file_without_profiles() -> None:
    with pytest.raises(ConfigError, match="there is no profile 'a'; it has none"):
        load_profile("a", "/dev/null")


HEAD = '[profiles.a]\nscheme = "gotom"\nkey-id = "k"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[profiles.a]\nshceme = "gotom"',
            "line 2: [profiles.a] shceme: a profile has no such key (did you mean 'scheme'?)",
        ),
        (
            '[profiles.a]\nscheme = "gotm"',
            "line 2: [profiles.a] scheme: there is no scheme 'gotm' (did you mean 'gotom'?)",
        ),
        ('[profiles.a]\nscheme = "gotom"', 'line 1: [profiles.a] key-id: who signs is missing: write key-id = "…"'),
        ('\n[profiles.a]\nkey-id = "k"', 'line 2: [profiles.a]: it has no scheme: write scheme = "gotom"'),
        ('[profiles.a]\nscheme = 3\nkey-id = "k"', "line 2: [profiles.a] scheme: it is the name of a scheme"),
        (HEAD + 'recipe = "x.toml"', "line 4: [profiles.a] recipe: it and scheme exclude each other"),
        ('[profiles.a]\nrecipe = "not-there.toml"', "not-there.toml: No such file or directory"),
        (HEAD.replace('"k"', '""'), 'line 3: [profiles.a] key-id: it is text, as in key-id = "me"'),
        (HEAD.replace('"k"', '"k\\u0000"'), "line 3: [profiles.a] key-id: it holds a control character"),
        (HEAD + 'origins = "https://a.example"', "line 4: [profiles.a] origins: it is a list"),
        (HEAD + "origins = []", "line 4: [profiles.a] origins: it is a list"),
        (HEAD + "origins = [1]", "line 4: [profiles.a] origins: each is text"),
        (
            HEAD + 'origins = [\n  "https://a.example",\n  "a.example/x",\n]',
            "line 4: [profiles.a] origins: not an origin: 'a.example/x'",
        ),
        (
            HEAD + "[profiles.a.options]\nprovder = 'x'",
            "line 5: [profiles.a] options.provder: gotom has no option 'provder' (did you mean 'provider'?)",
        ),
        (
            HEAD + "[profiles.a.options]\nprovider = 'x'\nwindow = 3",
            "line 6: [profiles.a] options.window: window is a window in seconds",
        ),
        (HEAD + "options = 3", "line 4: [profiles.a] options: it is a table: write [profiles.a.options]"),
        (
            HEAD + "[profiles.a.extras]\nx = 'y'",
            "line 5: [profiles.a] extras.x: gotom sends no such value; it sends none",
        ),
        (
            HEAD + 'secret-enw = "X"',
            "line 4: [profiles.a] secret-enw: a profile has no such key (did you mean 'secret-env'?)",
        ),
        (
            HEAD + 'secret-env = "X"\nsecret-file = "x"',
            "line 5: [profiles.a] secret-file: it and secret-env exclude each other",
        ),
        (HEAD + 'secret-env = ""', "line 4: [profiles.a] secret-env: it is the name of an environment variable"),
        (HEAD + "secret-file = 3", "line 4: [profiles.a] secret-file: it is the name of a file"),
        (
            HEAD + 'secret-command = "pass show x"',
            "line 4: [profiles.a] secret-command: it is a list of words, run without a shell",
        ),
        (HEAD + "secret-command = []", "line 4: [profiles.a] secret-command: it is a list of words"),
        (HEAD + "secret-keyring = 3", "line 4: [profiles.a] secret-keyring: it is the name of a service, or a table"),
        (
            "[profiles.a.b]\nscheme = 'gotom'\n",
            "line 1: [profiles.a] b: a profile has no such table; quote names that hold a dot",
        ),
        ("[profile.a]\nscheme = 'gotom'", "line 1: [profile]: this table is none of ours (did you mean 'profiles'?)"),
        ("scheme = 'gotom'", "line 1: scheme: it stands in no table: write [profiles.NAME] above"),
        (
            "[profiles]\nscheme = 'gotom'",
            "line 2: [profiles.scheme]: the name of the profile is missing: write [profiles.NAME]",
        ),
        ("profiles = 3", "line 1: [profiles]: profiles is a table"),
        ("[profiles.a]\n\nscheme = gotom\n", "line 3: this is not TOML; texts stand between double quotes"),
        ("[profiles.a]\nscheme = [1,\n\n", "line 2: this is not TOML"),
        (HEAD + HEAD, "line 4: this table or key is there twice"),
        ("[profiles.b]\n[profiles.cc]", "there is no profile 'a'; it has b, cc"),
        ("[profiles.aa]", "there is no profile 'a' (did you mean 'aa'?); it has aa"),
        ("", "there is no profile 'a'; it has none"),
    ],
)
def test_what_is_wrong_is_said_by_line_table_and_key_with_the_remedy(text: str, said: str, write: Write) -> None:
    file = write(text)
    with pytest.raises(ConfigError) as caught:
        load_profile("a", file)
    assert str(caught.value).startswith(f"{file}")
    assert said in str(caught.value)


def test_a_key_is_found_behind_values_that_take_several_lines(write: Write) -> None:
    filler = 'scheme = """\nkey-id = 1\n[profiles.a]\n"""\norigins = [ # [profiles.a]\n  "https://x.example",\n]\n'
    lines = f"[profiles.b]\n{filler}" * 1 + "\n".join(f"[profiles.c{n}]\n{filler}" for n in range(50))
    text = f'# the profiles of a\n{lines}\n[profiles.a]\nscheme = "gotom"\nkey-id = [\n1,\n2]\n'
    with pytest.raises(ConfigError, match=rf"line {text[: text.index('key-id = [')].count(chr(10)) + 1}: "):
        load_profile("a", write(text))


def test_all_problems_of_a_profile_are_told_in_the_order_of_their_lines(write: Write) -> None:
    profiles = read_profiles(write('[profiles.a]\nscheme = "gotm"\norigins = 3\nx = 1\n[profiles.b]\nscheme="gotom"'))
    assert isinstance(profiles, Profiles)
    problems = profiles.profile("a")
    assert isinstance(problems, list)
    assert [problem.line for problem in problems] == [2, 3, 4]


def test_a_mistake_in_one_profile_spoils_no_other(write: Write) -> None:
    assert load_profile("demo", write(DEMO + "[profiles.other]\nscheme = 3\n")).key_id == "crm_sync"


def test_a_file_that_is_not_there_says_what_writes_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.toml: there is no such file: undersign profiles add"):
        load_profile("demo", tmp_path / "config.toml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load_profile("demo", tmp_path)


def test_a_file_as_windows_saves_it_is_read(tmp_path: Path) -> None:
    for number, content in enumerate((DEMO.replace("\n", "\r\n").encode("utf-16"), b"\xef\xbb\xbf" + DEMO.encode())):
        (tmp_path / str(number)).write_bytes(content)
        assert load_profile("demo", tmp_path / str(number)).name == "demo"
    (tmp_path / "latin").write_bytes(b'[profiles.a]\nkey-id = "\xe9"')
    with pytest.raises(ConfigError, match="not text in UTF-8"):
        load_profile("a", tmp_path / "latin")


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_a_file_that_everyone_may_write_is_refused(write: Write) -> None:
    with pytest.raises(ConfigError, match=r"every user of this machine may write it.*: chmod o-w"):
        load_profile("demo", write(DEMO, mode=0o646))


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
@pytest.mark.parametrize(
    "text", [HEAD + 'secret = "{}"', HEAD.replace("gotom", "okx") + '[profiles.a.extras]\npassphrase = "{}"']
)
def test_a_secret_in_a_file_that_others_may_read_is_an_error(text: str, write: Write) -> None:
    secret = "a secret that others may read"
    file = write(text.format(secret), mode=0o640)
    with pytest.raises(ConfigError, match=r"stands in a file that others may read: chmod 600 .*") as caught:
        load_profile("a", file)
    assert_hides(caught.value, secret)
    file.chmod(0o600)
    profile = load_profile("a", file)
    file.chmod(0o604)  # since then
    source = profile.secret_source or profile.extra_sources["passphrase"]
    assert isinstance(source.read(), ConfigError)


def test_a_secret_in_the_file_is_warned_of(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    profile = load_profile("a", write(HEAD + 'secret = "a secret in the file"'))
    assert "the secret itself stands in the file" in caplog.text
    assert "a secret in the file" not in caplog.text
    profile.file.write_text(HEAD)
    with pytest.raises(ConfigError, match=r"has changed: there is no profiles\.a\.secret any more"):
        profile.secret()


def test_no_line_of_a_broken_file_is_repeated(write: Write) -> None:
    secret = "a-secret-without-quotes"
    for text in (f"secret = {secret}", f'secret = "{secret}', f"secret = '{secret}' '{secret}'", f"{secret}"):
        problem = read_profiles(write(HEAD + text))
        assert isinstance(problem, Problem)
        assert secret not in str(problem)
        assert problem.line == 4
