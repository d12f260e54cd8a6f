"""The HTTPie plugin, through the `http` command: each request verifies, or there is a clear error and no request."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import KEY_ID, SECRET
from tests.clients.test_fuzz import COUNT, random_requests
from tests.clients.wire import KeepAliveServer, WireServer, once, redirect
from undersign import GoGrid, GoTom, Verifier

AUTH = KEY_ID.replace(":", "\\:")

PLUGINS = """
from undersign import GoGrid
from undersign.clients.httpie import SignaturePlugin

class Plugin(SignaturePlugin):
    name = "GoGrid over plain http"
    auth_type = "gogrid-http"
    scheme = GoGrid(allow_http=True)
"""
ANNOUNCED = """
[httpie.plugins.auth.v1]
gogrid-http = plugins_of_this_test:Plugin
"""
TYPES = {"gotom": GoTom(), "gogrid-http": GoGrid(allow_http=True)}
VERIFIERS = {kind: Verifier(scheme, {KEY_ID: SECRET}) for kind, scheme in TYPES.items()}

Http = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One with a plugin of its own: a subclass, announced as any other distribution would."""
    path = tmp_path_factory.mktemp("plugins")
    (path / "plugins_of_this_test.py").write_text(PLUGINS)
    metadata = path / "plugins_of_this_test-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plugins-of-this-test\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ANNOUNCED)
    config = tmp_path_factory.mktemp("config")
    (config / "config.json").write_text('{"disable_update_warnings": true}')
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(path), *kept.get("PYTHONPATH", "").split(os.pathsep)]),
        "HTTPIE_CONFIG_DIR": str(config),
        "SSL_CERT_FILE": os.devnull,  # reading the system's takes longer than all the rest
        "UNDERSIGN_SECRET": SECRET,
        "PYTHONWARNINGS": "",
    }


@pytest.fixture
def http(environment: dict[str, str], tmp_path: Path) -> Http:
    def run(
        *arguments: str, stdin: bytes | None = None, auth: str = AUTH, kind: str = "gotom", **variables: str | None
    ) -> subprocess.CompletedProcess[bytes]:
        given = {**environment, **{name: value for name, value in variables.items() if value is not None}}
        for name in [name for name, value in variables.items() if value is None]:
            del given[name]
        ignore = ["--ignore-stdin"] if stdin is None else []
        command = [sys.executable, "-m", "httpie", *ignore, f"--auth-type={kind}", f"--auth={auth}", *arguments]
        return subprocess.run(
            command, input=stdin, capture_output=True, env=given, cwd=tmp_path, timeout=60, check=False
        )

    return run


def escaped(value: str) -> str:
    """A value in HTTPie's item syntax."""
    return re.sub(r"([:;=@])", r"\\\1", value)


def assert_verifies(server: WireServer, kind: str = "gotom", index: int = -1) -> None:
    assert server.verified(VERIFIERS[kind], index).key_id == KEY_ID


def test_the_plugins_are_announced() -> None:
    found = {point.name: point.value for point in entry_points(group="httpie.plugins.auth.v1")}
    assert found["gotom"] == "undersign.clients.httpie:GoTomPlugin"
    assert found["gogrid"] == "undersign.clients.httpie:GoGridPlugin"
    assert found["undersign"] == "undersign.clients.httpie:ProfilePlugin"


def test_a_profile_signs_and_goes_to_its_origins_alone(http: Http, server: WireServer, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f'[profiles.demo]\nscheme = "gotom"\nkey-id = {json.dumps(KEY_ID)}\nsecret-env = "DEMO_SECRET"\n'
        f'origins = ["{server.url}"]\n'
    )
    chosen: dict[str, Any] = {"kind": "undersign", "UNDERSIGN_CONFIG": str(config), "DEMO_SECRET": SECRET}
    done = http("--session=work", server.url + "/x", "name=new", auth="demo", **chosen)
    assert done.returncode == 0, done.stderr
    assert_verifies(server)
    done = http("https://127.0.0.1:1/x", auth="demo", **chosen)
    assert b"the credential is for " in done.stderr
    done = http(server.url + "/x", auth="dmo", **chosen)
    assert b"there is no profile 'dmo' (did you mean 'demo'?)" in done.stderr
    done = http(server.url + "/x", auth=f"demo:{SECRET}", **chosen)
    said = " ".join(done.stderr.decode().split())
    assert "the secret does not belong into --auth, where others see it: write --auth=PROFILE, which says where" in said
    assert len(server.requests) == 1


# The command takes a third of a second to start, so one process calls its main function for many requests.
MANY = """
import base64, json, os, sys
from httpie.context import Environment
from httpie.core import main
from httpie.plugins.registry import plugin_manager

plugin_manager.load_installed_plugins()
plugin_manager.load_installed_plugins = lambda *_: None  # main would do it for each request
nowhere = open(os.devnull, "wb")
for line in sys.stdin:
    arguments = [base64.b64decode(argument).decode() for argument in json.loads(line)]
    environment = Environment(stdin=None, stdout=nowhere, stdout_isatty=False, stderr=sys.stderr)
    if main(["http", *arguments], environment) != 0:
        sys.exit(f"failed: {arguments}")
"""


def send_many(environment: dict[str, str], directory: Path, kind: str, lines: list[list[str]]) -> None:
    """`http` with each line of arguments; AssertionError with the first that it refuses."""
    first = ["--ignore-stdin", f"--auth-type={kind}", f"--auth={AUTH}"]
    encoded = [[base64.b64encode(argument.encode()).decode() for argument in first + line] for line in lines]
    ran = subprocess.run(
        [sys.executable, "-c", MANY],
        input="\n".join(map(json.dumps, encoded)),
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", TYPES)
class TestEverySchemeVerifies:
    def test_urls_and_bodies(self, environment: dict[str, str], server: WireServer, tmp_path: Path, kind: str) -> None:
        url, long = server.url, "name=" + "x" * 500
        (tmp_path / "binary").write_bytes(os.urandom(300))
        (tmp_path / "large").write_bytes((b"x" * 999 + b"\n") * 2400)
        lines = [
            ["GET", f"{url}/p?a=1&&b=%2f&"],
            ["GET", f"{url}/käse//x/../y?", "q==ü &", "d==%2f"],
            ["GET", f"{url}/p", "date:Thu, 01 Jan 1970 00:00:00 GMT", "X-A:1", "X-A:2"],
            ["POST", f"{url}/p"],
            ["POST", f"{url}/p", "name=ü", "list:=[1,2]"],
            ["--form", "POST", f"{url}/p", "server=a", "server=b", "c=ü &"],
            ["--form", "POST", f"{url}/p", "name=ü", "f@binary"],
            ["--multipart", "POST", f"{url}/p", "name=ü", "f@large"],
            ["POST", f"{url}/p", "@binary"],
            ["POST", f"{url}/p", "@binary", "Content-Type:Text/Plain"],
            ["--raw", "ü\n", "POST", f"{url}/p"],
            ["--chunked", "POST", f"{url}/p", "@large"],
            ["--chunked", "POST", f"{url}/p", "name=ü"],
            ["--chunked", "--form", "POST", f"{url}/p", "name=ü", "f@large"],
            ["--compress", "POST", f"{url}/p", long],
            ["--compress", "--compress", "POST", f"{url}/p", "@binary"],
            ["--compress", "POST", f"{url}/p", "@binary"],
            ["--compress", "--form", "POST", f"{url}/p", "f@large"],
            ["--path-as-is", "GET", f"{url}/a/../b/./c?x=%2f"],
            ["--path-as-is", "--compress", "POST", f"{url}/a/%2E./b", long],
        ]
        send_many(environment, tmp_path, kind, lines)
        assert len(server.requests) == len(lines)
        for index in range(len(lines)):
            assert_verifies(server, kind, index)

    @pytest.mark.long
    def test_a_thousand_requests_are_received_as_they_were_signed(
        self, environment: dict[str, str], tmp_path: Path, kind: str
    ) -> None:
        made, counts = random_requests(seed=22)
        hazards = ["escapes", "empty fields", "dot segments", "non-ASCII", "bare ?", "binary bodies"]
        assert {hazard: counts[hazard] >= 100 for hazard in hazards} == dict.fromkeys(hazards, True)
        with KeepAliveServer() as server:
            lines = []
            for number, (method, target, keywords) in enumerate(made):
                items = [f"{name}=={escaped(value)}" for name, value in keywords.get("params", {}).items()]
                for kind_of_body in ("data", "json"):
                    items += [f"{name}={escaped(value)}" for name, value in keywords.get(kind_of_body, {}).items()]
                if "binary" in keywords:
                    path = tmp_path / str(number)
                    path.write_bytes(keywords["binary"])
                    items.append(f"@{path}")
                lines.append([*(["--form"] if "data" in keywords else []), method, server.url + target, *items])
            send_many(environment, tmp_path, kind, lines)
            assert len(server.requests) == COUNT
            for index in range(COUNT):
                assert_verifies(server, kind, index)

    @pytest.mark.parametrize("option", ["--verify=yes", "--chunked", "--compress"])
    def test_standard_input(self, http: Http, server: WireServer, kind: str, option: str) -> None:
        ran = http(option, "POST", server.url, stdin=b"\x00\xff" * 300, kind=kind)
        assert (ran.returncode, ran.stderr) == (0, b"")
        assert_verifies(server, kind)

    def test_redirects_are_signed_within_the_origin_and_stripped_elsewhere(
        self, http: Http, server: WireServer, elsewhere: WireServer, kind: str
    ) -> None:
        answers = iter([redirect(307, "/2?x=%2f"), redirect(307, elsewhere.url)])
        server.respond = lambda raw: next(answers)
        ran = http("--follow", "POST", server.url, "a=1", kind=kind)
        assert (ran.returncode, ran.stderr) == (0, b"")
        for index in range(2):
            assert_verifies(server, kind, index)
        assert elsewhere.received().target == "/"
        assert elsewhere.received().values("authorization") == []


def shown(output: bytes, name: str) -> list[str]:
    return re.findall(rf"^{name}: (\S.*?)\r?$", output.decode("utf-8", "replace"), re.MULTILINE)


@pytest.mark.sampled(3)
class TestChangesBehindTheSignature:
    @pytest.mark.parametrize("options", [[], ["--compress", "--compress"], ["X-Twice:1", "X-Twice:2"]])
    def test_what_verbose_shows_is_what_is_sent(self, http: Http, server: WireServer, options: list[str]) -> None:
        server.respond = once(redirect(307, "/2"))
        ran = http("--verbose", "--all", "--follow", "POST", server.url, "name=" + "x" * 50, *options)
        assert ran.returncode == 0
        for name in ("Authorization", "Date"):
            assert shown(ran.stdout, name) == [server.received(index).values(name.lower())[0] for index in range(2)]
        for index in range(2):
            assert_verifies(server, index=index)

    def test_compression_would_hide_the_form_that_gogrid_s_parameters_go_into(
        self, http: Http, server: WireServer
    ) -> None:
        ran = http("--compress", "--form", "POST", server.url, "name=" + "x" * 500, kind="gogrid-http")
        assert ran.returncode == 1
        assert b"would hide the form" in ran.stderr
        assert server.requests == []

    def test_what_was_compressed_is_what_is_signed(self, http: Http, server: WireServer) -> None:
        http("--compress", "POST", server.url, "name=" + "x" * 500)
        request = server.received()
        assert isinstance(request.body, bytes)
        assert request.values("content-encoding") == ["deflate"]
        assert json.loads(zlib.decompress(request.body)) == {"name": "x" * 500}

    def test_a_file_that_compression_does_not_shrink_is_sent_whole(
        self, http: Http, server: WireServer, tmp_path: Path
    ) -> None:
        content = os.urandom(2_000_000)
        (tmp_path / "binary").write_bytes(content)
        http("--compress", "POST", server.url, "@binary")
        assert server.received().body == content
        assert_verifies(server)

    def test_a_compressed_body_is_sent_again_by_a_redirect(
        self, http: Http, server: WireServer, tmp_path: Path
    ) -> None:
        (tmp_path / "large").write_bytes((b"x" * 999 + b"\n") * 2400)
        server.respond = once(redirect(307, "/next"))
        ran = http("--compress", "--follow", "--form", "POST", server.url, "f@large")
        assert (ran.returncode, ran.stderr) == (0, b"")
        assert server.received(0).body == server.received(1).body
        assert_verifies(server)

    def test_a_path_is_sent_as_it_is(self, http: Http, server: WireServer) -> None:
        http("--path-as-is", "GET", server.url + "/a/../b/./%2E")
        assert server.received().target == "/a/../b/./%2E"

    @pytest.mark.parametrize("path", ["/a%2fb", "/ü", "/a|b", "/100%"])
    def test_a_path_that_would_be_rewritten_is_an_error(self, http: Http, server: WireServer, path: str) -> None:
        ran = http("--path-as-is", "GET", server.url + path)
        assert ran.returncode == 1
        assert b"CannotSign" in ran.stderr
        assert b"upper case" in ran.stderr
        assert server.requests == []

    def test_a_signed_header_that_is_given_twice_is_an_error(self, http: Http, server: WireServer) -> None:
        ran = http("GET", server.url, "Content-Type:a", "Content-Type:b")
        assert ran.returncode == 1
        assert b"more than once" in ran.stderr
        assert server.requests == []

    def test_what_is_shown_is_what_is_sent(self, http: Http, server: WireServer) -> None:
        ran = http("--verbose", "--compress", "POST", server.url + "/p", "name=" + "x" * 500, auth="key")
        sent = server.received()
        assert f"Authorization: {sent.values('authorization')[0]}".encode() in ran.stdout
        assert f"Date: {sent.values('date')[0]}".encode() in ran.stdout

    def test_offline_shows_a_signed_request_and_sends_none(self, http: Http, server: WireServer) -> None:
        ran = http("--offline", "POST", server.url + "/p", "a=1", auth="key")
        assert b"Authorization: gotom_app_api key:" in ran.stdout
        assert server.requests == []


@pytest.mark.sampled(3)
class TestTheSecret:
    def test_gogrid_refuses_plain_http(self, http: Http, server: WireServer) -> None:
        ran = http("GET", server.url, kind="gogrid")
        assert ran.returncode == 1
        assert b"use https" in ran.stderr
        assert server.requests == []

    def test_it_may_be_any_bytes(self, http: Http, server: WireServer) -> None:
        secret = b"s\xc3\xa9cret\xff"
        http("GET", server.url, auth="u", UNDERSIGN_SECRET=os.fsdecode(secret))
        assert server.verified(Verifier(GoTom(), {"u": secret})).key_id == "u"

    @pytest.mark.parametrize("auth", [AUTH, AUTH + ":"])
    def test_a_key_id_may_end_in_a_colon_that_has_no_secret_behind_it(
        self, http: Http, server: WireServer, auth: str
    ) -> None:
        assert http("GET", server.url, auth=auth).returncode == 0
        assert_verifies(server)

    def test_it_is_not_taken_from_an_argument(
        self, http: Http, server: WireServer, environment: dict[str, str]
    ) -> None:
        session = Path(environment["HTTPIE_CONFIG_DIR"]) / "argument.json"
        ran = http(f"--session={session}", "GET", server.url, auth="key:argued")
        assert ran.returncode == 1
        assert b"set UNDERSIGN_SECRET" in ran.stderr.replace(b"\n", b" ")
        assert b"argued" not in ran.stderr
        assert not session.exists()
        assert server.requests == []

    @pytest.mark.parametrize("value", [None, ""])
    def test_without_one_there_is_a_clear_error(self, http: Http, server: WireServer, value: str | None) -> None:
        ran = http("GET", server.url, UNDERSIGN_SECRET=value)
        assert ran.returncode == 1
        assert (b"set UNDERSIGN_SECRET" if value is None else b"the secret is empty") in ran.stderr
        assert b"Traceback" not in ran.stderr
        assert server.requests == []

    def test_a_session_stores_the_key_id_alone(self, http: Http, server: WireServer, tmp_path: Path) -> None:
        session = tmp_path / "session.json"
        assert http(f"--session={session}", "GET", server.url, "X-A:1").returncode == 0
        stored = session.read_text()
        assert SECRET not in stored
        assert "signature" not in stored.lower()
        assert json.loads(stored)["auth"] == {"type": "gotom", "raw_auth": AUTH}

    def test_a_session_signs_with_what_it_has_stored(
        self, http: Http, server: WireServer, tmp_path: Path, environment: dict[str, str]
    ) -> None:
        session = tmp_path / "session.json"
        http(f"--session={session}", "GET", server.url)
        command = [sys.executable, "-m", "httpie", "--ignore-stdin", f"--session={session}", server.url + "/2"]
        ran = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False)
        assert (ran.returncode, ran.stderr) == (0, b"")
        assert server.received().target == "/2"
        assert_verifies(server)

    def test_debugging_does_not_show_it(self, http: Http, server: WireServer) -> None:
        ran = http("--debug", "GET", server.url)
        assert ran.returncode == 0
        assert SECRET.encode() not in ran.stdout + ran.stderr

    @pytest.mark.linux
    def test_it_is_asked_for_in_a_terminal(self, server: WireServer, environment: dict[str, str]) -> None:
        given = {name: value for name, value in environment.items() if name != "UNDERSIGN_SECRET"}
        command = [sys.executable, "-m", "httpie", "--auth-type=gotom", f"--auth={AUTH}", "GET", server.url]
        import pty  # which other systems lack

        ours, theirs = pty.openpty()
        try:
            child = subprocess.Popen(
                command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=given, start_new_session=True
            )
            assert child.stderr is not None
            prompt = b""
            while not prompt.endswith(KEY_ID.encode() + b": "):
                byte = child.stderr.read(1)
                assert byte, prompt
                prompt += byte
            os.write(ours, SECRET.encode() + b"\n")
            shown, _ = child.communicate(timeout=60)
        finally:
            os.close(ours)
            os.close(theirs)
        assert child.returncode == 0
        assert SECRET.encode() not in shown
        assert_verifies(server)
