"""Profiles on the command line: `--profile`, and `undersign profiles list|check|add|remove`."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.cli.command import SECRET, serving, undersign
from tests.clients.wire import WireServer
from undersign import GoTom, Request, Verifier

AT = ("--at", "1730974875")
ENV = {"DEMO_SECRET": SECRET, "UNDERSIGN_SECRET": None}


@pytest.fixture
def config(tmp_path: Path, wire: WireServer) -> Path:
    """A file with a profile for the server that keeps the bytes, and one with mistakes."""
    file = tmp_path / "config.toml"
    file.write_text(
        "# those of the tests\n"
        '[profiles.demo]\nscheme = "gotom"\nkey-id = "crm_sync"\nsecret-env = "DEMO_SECRET"\n'
        f'origins = ["{wire.url}"]\noptions = {{ provider = "acme" }}\n\n'
        '[profiles.broken]\nscheme = "gotm"\nkey-id = "x"\nsecret-enw = "X"\n'
    )
    file.chmod(0o600)
    return file


def test_call_signs_as_the_profile_says(config: Path, wire: WireServer) -> None:
    for url in (wire.url + "/x", "/x"):  # a target alone is for the one origin
        result = undersign("call", "GET", url, "--profile", "demo", "--config", config, env=ENV)
        assert (result.code, result.err) == (0, "")
    assert undersign("call", "GET", "/x", "--profile", "demo", env={**ENV, "UNDERSIGN_CONFIG": str(config)}).code == 0
    assert len(wire.requests) == 3
    wire.verified(Verifier(GoTom(provider="acme"), {"crm_sync": SECRET}))


def test_a_call_elsewhere_is_refused_and_nothing_is_sent(config: Path) -> None:
    with WireServer() as elsewhere:
        result = undersign("call", "GET", elsewhere.url + "/x", "--profile", "demo", "--config", config, env=ENV)
        assert result.code == 2
        assert "the credential is for http://127.0.0.1:" in result.error
        assert not elsewhere.requests
    result = undersign("sign", "GET", "https://a.example/", "--profile", "demo", "--config", config, env=ENV)
    assert (result.code, result.out) == (2, b"")


def test_an_option_goes_before_what_the_profile_says(config: Path, wire: WireServer) -> None:
    options = ("--key-id", "other", "--secret-env", "OTHER", "-o", "provider=p", "-o", "gotom.content_type=text/plain")
    env = {**ENV, "OTHER": "the secret of the other"}
    result = undersign("call", "GET", "/x", "--profile", "demo", "--config", config, *options, env=env)
    assert (result.code, result.err) == (0, "")
    scheme = GoTom(provider="p", content_type="text/plain")
    wire.verified(Verifier(scheme, {"other": "the secret of the other"}))


def raw(url: str, config: Path) -> bytes:
    signed = undersign("sign", "GET", url, "--profile", "demo", "--config", config, "--json", *AT, env=ENV)
    headers = json.loads(signed.text)["headers"]
    request = Request.from_url("GET", url, [(name, value) for name, value in headers])
    lines = [f"GET {request.target} HTTP/1.1", f"Host: {url.split('/')[2]}", *(f"{n}: {v}" for n, v in headers), "", ""]
    return "\r\n".join(lines).encode()


def test_verify_diagnose_and_explain_read_as_the_profile_says(config: Path, wire: WireServer) -> None:
    request = raw(wire.url + "/x", config)
    chosen = ("--profile", "demo", "--config", config, *AT)
    result = undersign("verify", *chosen, stdin=request, env=ENV)
    assert (result.code, result.text) == (0, "valid: gotom, signed by crm_sync\n")
    assert undersign("diagnose", *chosen, stdin=request, env=ENV).code == 0
    assert undersign("explain", *chosen, stdin=request, env=ENV).code == 0
    refused = undersign("verify", *chosen, stdin=request.replace(b" /x ", b" /y "), env=ENV)
    assert refused.code == 1
    assert "undersign diagnose --profile demo --config" in refused.err
    assert undersign("diagnose", *chosen, stdin=request.replace(b" /x ", b" /y "), env=ENV).code == 1
    # Any other key id than the profile's is unknown.
    other = request.replace(b"crm_sync:", b"other:")
    assert undersign("verify", *chosen, stdin=other, env=ENV).text.startswith("invalid: unknown_key")


def test_serve_knows_the_profiles_key_alone(config: Path) -> None:
    text = config.read_text()
    with serving("--profile", "demo", "--config", config, env=ENV) as server:
        config.write_text(text.replace("origins", f'origins = ["{server.url}"]\n#'))
        assert undersign("call", "GET", "/x", "--profile", "demo", "--config", config, env=ENV).code == 0
        result = undersign("call", "GET", "/x", "--profile", "demo", "--config", config, "--key-id", "y", env=ENV)
        assert result.code == 1
        line = result.err.splitlines()[-1]
        assert line.startswith(f"undersign sign GET /x --profile demo --config {config} --key-id y --at ")


def test_the_command_that_shows_what_was_signed_needs_the_profile_alone(config: Path, wire: WireServer) -> None:
    wire.respond = lambda raw: b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    refused = undersign("call", "GET", "/x", "--profile", "demo", "--config", config, *AT, env=ENV)
    words = refused.err.splitlines()[-1].split()
    shown = undersign(*words[1:], env={"UNDERSIGN_SECRET": None})
    assert shown.code == 0
    assert "/x" in shown.text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--profile", "dmo"), "there is no profile 'dmo' (did you mean 'demo'?); it has demo, broken"),
        (
            ("--profile", "broken"),
            "line 10: [profiles.broken] scheme: there is no scheme 'gotm' (did you mean 'gotom'?)",
        ),
        (("--profile", "demo", "--scheme", "gotom"), "--profile names the scheme too: leave --scheme and --recipe out"),
        ((), "--config is the file that --profile looks in: give --profile NAME too"),
        (("--profile", "demo", "-o", "provder=x"), "did you mean 'provider'?"),
        (("--profil", "demo"), "No such option '--profil'"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], said: str, config: Path) -> None:
    result = undersign("call", "GET", "/x", "--config", config, *arguments, env=ENV)
    assert result.code == 2
    assert said in result.error


def test_a_target_alone_needs_an_origin(config: Path) -> None:
    result = undersign("call", "GET", "/x", "--key-id", "k")
    assert (
        "the URL is a path alone: say where it stands with --origin https://host, or by a profile with one origin"
        in result.error
    )


def test_without_a_place_the_secret_is_where_it_always_is(tmp_path: Path, wire: WireServer) -> None:
    (tmp_path / "c.toml").write_text('[profiles.a]\nscheme = "gotom"\nkey-id = "k"\n')
    call = ("call", "GET", wire.url + "/x", "--profile", "a", "--config", tmp_path / "c.toml")
    assert undersign(*call).code == 0
    assert "there is no secret: set UNDERSIGN_SECRET" in undersign(*call, env=ENV).error


def test_a_secret_in_the_file_is_warned_of_each_time(tmp_path: Path, wire: WireServer) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f'[profiles.a]\nscheme = "gotom"\nkey-id = "k"\nsecret = "{SECRET}"\n')
    file.chmod(0o600)
    result = undersign("call", "GET", wire.url + "/x", "--profile", "a", "--config", file, env=ENV)
    assert result.code == 0
    assert "[profiles.a] secret: the secret itself stands in the file" in result.error
    file.chmod(0o644)
    result = undersign("call", "GET", wire.url + "/x", "--profile", "a", "--config", file, env=ENV)
    assert (result.code, len(wire.requests)) == (2, 1)
    assert f"line 4: [profiles.a] secret: it stands in a file that others may read: chmod 600 {file}" in result.error


def test_list_shows_all_but_the_secret(config: Path) -> None:
    result = undersign("profiles", "list", "--config", config, env=ENV)
    assert result.code == 0
    first, second = [" ".join(line.split()) for line in result.text.splitlines()]
    assert first == "demo gotom crm_sync secret from the environment variable DEMO_SECRET"
    assert second == "broken gotm cannot be used: undersign profiles check broken"
    demo, broken = json.loads(undersign("profiles", "list", "--config", config, "--json", env=ENV).text)
    assert (demo["name"], demo["key_id"]) == ("demo", "crm_sync")
    assert len(broken["problems"]) == 2


def test_list_says_what_is_asked_where_a_profile_names_no_place_of_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[profiles.a]\nscheme = "gotom"\nkey-id = "me"\n')
    result = undersign("profiles", "list", "--config", file)
    assert " ".join(result.text.split()) == "a gotom me secret from UNDERSIGN_SECRET or a prompt"


def test_check_says_what_is_wrong_by_line_and_whether_the_secret_can_be_had(config: Path) -> None:
    result = undersign("profiles", "check", "--config", config, env=ENV)
    assert result.code == 1
    fine, scheme, key = result.text.splitlines()
    assert fine == "ok: demo"
    assert scheme.startswith(f"wrong: {config}, line 10: [profiles.broken] scheme: there is no scheme 'gotm' (did you")
    assert key.startswith(f"wrong: {config}, line 12: [profiles.broken] secret-enw: a profile has no such key (did you")
    assert undersign("profiles", "check", "demo", "--config", config, env=ENV).code == 0
    result = undersign("profiles", "check", "demo", "--config", config, env={"DEMO_SECRET": None})
    assert (result.code, result.text) == (
        1,
        f"wrong: {config}: [profiles.demo] the environment variable DEMO_SECRET is not set\n",
    )
    assert undersign("profiles", "check", "dmo", "--config", config, env=ENV).code == 1
    shown = json.loads(undersign("profiles", "check", "--config", config, "--json", env=ENV).text)
    assert [(each["name"], len(each["problems"])) for each in shown] == [("demo", 0), ("broken", 2)]


def test_check_of_a_file_that_is_no_toml_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[profiles.a]\nscheme = gotom\n")
    result = undersign("profiles", "check", "--config", tmp_path / "c.toml")
    assert result.code == 1
    assert f"wrong: {tmp_path / 'c.toml'}, line 2: this is not TOML" in result.text
    for command in ("check", "list"):
        result = undersign("profiles", command, "--config", tmp_path / "none.toml")
        assert result.code == 2
        assert "there is no such file: undersign profiles add NAME writes it" in result.error


ADD = ("--scheme", "gotom", "--key-id", "me", "--secret-env", "DEMO_SECRET", "--origin", "https://demo.gotom.io")


def test_add_makes_the_file_for_its_owner_alone(tmp_path: Path) -> None:
    env = {**ENV, "XDG_CONFIG_HOME": str(tmp_path / "xdg"), "UNDERSIGN_CONFIG": None}
    result = undersign("profiles", "add", "demo", *ADD, "-o", "window=600,600", env=env)
    file = tmp_path / "xdg" / "undersign" / "config.toml"
    assert (result.code, result.text) == (0, f"{file}: [profiles.demo]\n")
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert undersign("profiles", "check", env=env).text == "ok: demo\n"
    assert undersign("sign", "GET", "/x", "--profile", "demo", env=env).code == 0


def test_add_says_when_the_place_that_it_names_holds_no_secret_yet(tmp_path: Path) -> None:
    env = {**ENV, "UNDERSIGN_CONFIG": str(tmp_path / "c.toml"), "ABSENT_SECRET": None}
    head = ("--scheme", "gotom", "--key-id", "me", "--origin", "https://a.example")
    added = undersign("profiles", "add", "demo", *head, "--secret-env", "ABSENT_SECRET", env=env)
    assert (added.code, added.text) == (0, f"{tmp_path / 'c.toml'}: [profiles.demo]\n")
    assert "cannot be used so far: " in added.error
    assert "the environment variable ABSENT_SECRET is not set" in added.error
    absent = ("--secret-file", str(tmp_path / "absent"))
    assert "cannot be used so far: " in undersign("profiles", "add", "file", *head, *absent, env=env).error
    assert undersign("profiles", "add", "good", *ADD, env=env).err == ""


def test_add_says_which_extra_is_missing(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    okx = ("--scheme", "okx", "--key-id", "k", "--origin", "https://www.okx.com", "--secret-env", "DEMO_SECRET")
    result = undersign("profiles", "add", "x", *okx, "--config", config, env=ENV)
    assert (result.code, "cannot be used so far" in result.error) == (0, True)
    assert "okx sends 'passphrase' too: add extras.passphrase" in result.error
    named = ("--extra-env", "passphrase=DEMO_NOT_THERE", "--replace")
    result = undersign("profiles", "add", "x", *okx, *named, "--config", config, env=ENV)
    assert "the environment variable DEMO_NOT_THERE is not set" in result.error


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("one\ntwo", "the secret has several lines"),
        (" one", "the secret has white space around it"),
        ("one\ntwo\n", "the secret has white space around it"),
    ],
)
def test_check_warns_of_what_may_not_belong_to_the_secret(secret: str, said: str, config: Path) -> None:
    """Such as what a command prints besides. All of it is used, since it may well belong to it."""
    result = undersign("profiles", "check", "demo", "--config", config, env={"DEMO_SECRET": secret})
    assert result.code == 0
    assert f"warning: [profiles.demo] {said}: see whether that belongs to it" in result.text.splitlines()
    assert result.text.endswith("ok: demo\n")


def test_add_keeps_comments_and_all_else(config: Path) -> None:
    before = config.read_text()
    result = undersign("profiles", "add", "a.b", *ADD, "--config", config, env=ENV)
    assert result.code == 0, result.err
    assert config.read_text().startswith(before)
    assert undersign("profiles", "check", "a.b", "demo", "--config", config, env=ENV).text == "ok: a.b\nok: demo\n"
    again = undersign("profiles", "add", "demo", *ADD, "--config", config, env=ENV)
    assert again.code == 2
    assert "has a profile 'demo' already: --replace takes its place" in again.error
    assert undersign("profiles", "add", "demo", *ADD, "--replace", "--config", config, env=ENV).code == 0
    assert config.read_text().startswith("# those of the tests\n")
    listed = json.loads(undersign("profiles", "list", "--json", "--config", config, env=ENV).text)
    assert [each["name"] for each in listed] == ["demo", "broken", "a.b"]
    assert listed[0]["key_id"] == "me"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x", "--scheme", "gotm", "--key-id", "k"), "scheme: there is no scheme 'gotm' (did you mean 'gotom'?)"),
        (("x", "--key-id", "k"), "it has no scheme"),
        (("x", "--scheme", "gotom"), "key-id: who signs is missing"),
        (("x", *ADD, "--origin", "a.example"), "origins: not an origin: 'a.example'"),
        (("x", *ADD, "--secret-file", "s"), "secret-file: it and secret-env exclude each other"),
        (("x", *ADD, "-o", "provder=x"), "did you mean 'provider'?"),
        (("x", *ADD, "--secret", "s"), "there is no --secret, since other users of the machine see arguments"),
        (("x", "y", *ADD), "1 argument(s) too many; the name of the profile is the only one"),
        (("", *ADD), "the name of a profile is text without control characters, and not empty"),
        (("x\ny\x1b[2J", *ADD), "the name of a profile is text without control characters, and not empty"),
        (("x\udce9", *ADD), "the name of a profile is text"),
        (("x", "--scheme", "gotom", "--key-id", "\udce9"), "an argument is no text in the encoding of the locale"),
    ],
)
def test_add_writes_nothing_that_could_not_be_used(arguments: tuple[str, ...], said: str, config: Path) -> None:
    before = config.read_text()
    result = undersign("profiles", "add", *arguments, "--config", config, env=ENV)
    assert result.code == 2
    assert said in result.error
    assert config.read_text() == before


def test_add_takes_a_command_and_a_keyring_apart(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    head = ("--scheme", "okx", "--key-id", "k", "--config", file)
    assert undersign("profiles", "add", "a", *head, "--secret-command", "pass show 'a b'").code == 0
    assert (
        undersign("profiles", "add", "b", *head, "--secret-keyring", "okx", "--extra-env", "passphrase=PASS_X").code
        == 0
    )
    assert 'secret-command = ["pass", "show", "a b"]' in file.read_text()
    shown = json.loads(undersign("profiles", "list", "--json", "--config", file).text)
    assert [each["secret_from"] for each in shown] == ["the command pass", "the keyring, service okx, user k"]


# undersign profiles remove


MANY = """# mine
[profiles.first]
scheme = "gotom"   # the old one
key-id = "a"
secret-keyring = "first's"

# of the shop
[profiles.shop]
scheme = "okx"
key-id = "b"
# read from
secret-file = "shop-secret"
[profiles.shop.extras.passphrase]
env = "SHOP_PASSPHRASE"
[profiles.shop.options]

# the last one
# is not used

[profiles."a b"]
scheme = "gotom"
key-id = "c"
"""


QUOTING = '[profiles.b]\nscheme = """\n[profiles.a]\n"""\n'


def removed(file: Path, name: str, text: str = MANY) -> str:
    file.write_bytes(text.encode())
    file.chmod(0o600)
    result = undersign("profiles", "remove", name, "--config", file)
    assert result.code == 0, result.err
    assert result.text == f"{file}: [profiles.{name}] removed\n"
    return file.read_bytes().decode()


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("first", "[profiles.first]", 'secret-keyring = "first\'s"'),
        ("shop", "[profiles.shop]", "[profiles.shop.options]"),
        ("a b", '[profiles."a b"]', 'key-id = "c"'),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_remove_takes_out_the_profile_and_nothing_else(
    name: str, first: str, last: str, newline: str, tmp_path: Path
) -> None:
    text = MANY.replace("\n", newline)
    before, _, rest = text.partition(first)
    after = rest.partition(last + newline)[2]
    left = removed(tmp_path / "c.toml", name, text)
    assert left.replace(newline, "") == (before + after).replace(newline, "")
    assert 3 * newline not in left
    assert not left.startswith(newline)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('[profiles]\na = { scheme = "x" }  # mine\nb = { scheme = "y" }\n', '[profiles]\nb = { scheme = "y" }\n'),
        ('[profiles]\na.scheme = "x"\n# yours\nb.scheme = "y"\n', '[profiles]\n# yours\nb.scheme = "y"\n'),
        ('[profiles.a]\nscheme = """\n[profiles.b]\n"""\n[profiles.b]\n', "[profiles.b]\n"),
        (
            '[profiles.b]\nscheme = """\n[profiles.a]\n"""\n[profiles.a]\n',
            '[profiles.b]\nscheme = """\n[profiles.a]\n"""\n',
        ),
        ('[profiles.a]\nscheme = "x"', ""),
    ],
    ids=["inline", "dotted", "in a text of its own", "in another's text", "the only one"],
)
def test_remove_knows_each_way_to_write_a_profile(text: str, left: str, tmp_path: Path) -> None:
    assert removed(tmp_path / "c.toml", "a", text) == left


def test_remove_keeps_the_mode_and_the_link(tmp_path: Path) -> None:
    file, link = tmp_path / "c.toml", tmp_path / "link.toml"
    file.write_text(MANY)
    file.chmod(0o640)
    link.symlink_to(file)
    assert undersign("profiles", "remove", "first", "--config", link).code == 0
    assert link.is_symlink()
    assert "first" not in file.read_text()
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_remove_says_where_secrets_stay(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    own = '[profiles.own]\nscheme = "gotom"\nkey-id = "d"\nsecret = "hidden-text"\n[profiles.broken]\nscheme = "gotm"\n'
    file.write_text(MANY + own)
    file.chmod(0o600)

    def said(name: str) -> str:
        result = undersign("profiles", "remove", name, "--config", file)
        assert result.code == 0, result.err
        assert "hidden-text" not in result.err + result.text
        return result.err

    assert "keyring del 'first'\"'\"'s' a deletes it" in said("first")
    shop = said("shop")
    assert "the secret stays in the file" in shop
    assert "SHOP_PASSPHRASE" in shop
    assert "the secret stood in the profile, and is gone with it" in said("own")
    assert "it could not be used" in said("broken")
    assert said("a b") == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dmo",), "there is no profile 'dmo' (did you mean 'demo'?); it has demo, broken"),
        (("demo", "broken"), "1 argument(s) too many; one profile is removed at a time"),
        ((), "Missing argument 'NAME'"),
    ],
)
def test_remove_says_what_cannot_be_removed(arguments: tuple[str, ...], said: str, config: Path) -> None:
    before = config.read_text()
    result = undersign("profiles", "remove", *arguments, "--config", config)
    assert result.code == 2
    assert said in result.error
    assert config.read_text() == before


def test_remove_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = undersign("profiles", "remove", "demo", "--config", tmp_path / "none.toml")
    assert result.code == 2
    assert "there is no such file" in result.error
