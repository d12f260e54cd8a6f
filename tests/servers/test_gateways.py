"""nginx and Apache in front of what is not HTTP: uWSGI's protocol, FastCGI, SCGI and CGI; and Apache's mod_wsgi."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
import typing_extensions

import undersign
from tests.ports import free_port
from undersign import Request

from . import gateway_app
from .fronts.configs import apache, mod_wsgi, nginx
from .fronts.running import Front, running
from .matrix import BIN, Running, Server, run_command, skip_without
from .test_targets import UNUSUAL
from .wire import GOGRID, GOTOM, Answer, message, send, signed

PROTOCOLS = ("uwsgi", "fastcgi", "scgi")
StartFront = Callable[..., Running]


@pytest.fixture(scope="module")
def uwsgi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """uWSGI, which speaks three protocols."""
    ports = {protocol: free_port() for protocol in PROTOCOLS}
    command = [str(BIN / "uwsgi"), "--module", "gateway_app:wsgi", "--need-app", "--die-on-term"]
    for protocol, port in ports.items():
        command += [f"--{protocol}-socket", f"127.0.0.1:{port}"]
    server = Server("uwsgi", "uwsgi", lambda port, folder: command, "wsgi")
    skip_without(server.missing())
    for _ in run_command(server, command, ports["uwsgi"], tmp_path_factory.mktemp("uwsgi")):
        yield ports


_FLUP = """
from flup.server.{kind} import WSGIServer
from gateway_app import wsgi
WSGIServer(wsgi, bindAddress=("127.0.0.1", {port})).run()
"""


@pytest.fixture(scope="module", params=["fcgi", "scgi"])
def flup(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A server in Python for FastCGI or SCGI."""
    port = free_port()
    command = [sys.executable, "-c", _FLUP.format(kind=request.param, port=port)]
    server = Server("flup", "flup", lambda port, folder: command, "wsgi")
    skip_without(server.missing())
    for _ in run_command(server, command, port, tmp_path_factory.mktemp("flup")):
        yield {"fcgi": "fastcgi", "scgi": "scgi"}[request.param], port


@pytest.fixture(scope="module")
def start_front() -> Iterator[StartFront]:
    """Starts a front when a test first asks for it; all end together."""
    started: dict[str, Running] = {}
    with ExitStack() as stack:

        def start(front: Front, behind: int = 0, values: Mapping[str, object] | None = None) -> Running:
            if front.name not in started:
                started[front.name] = stack.enter_context(running(front, behind, values))
            return started[front.name]

        yield start
        for one in started.values():
            one.process.terminate()


@pytest.fixture(scope="module")
def script() -> Iterator[dict[str, object]]:
    """What Apache runs itself: the library and the app, where the user that it becomes may read them."""
    with tempfile.TemporaryDirectory(prefix="gateway-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copytree(Path(undersign.__file__).parent, folder / "undersign")
        for file in (typing_extensions.__file__, gateway_app.__file__):
            shutil.copy(file, folder)
        (folder / "script.wsgi").write_text("from gateway_app import wsgi as application\n", encoding="utf-8")
        program = folder / "program"
        program.write_text(
            "#!/usr/bin/python3\n"
            f"import sys; sys.path.insert(0, {name!r})\n"
            "from wsgiref.handlers import CGIHandler\n"
            "from gateway_app import wsgi\n"
            "CGIHandler().run(wsgi)\n",
            encoding="utf-8",
        )
        program.chmod(0o755)
        yield {"path": folder, "script": folder / "script.wsgi", "program": program}


def passing(protocol: str) -> str:
    """nginx's directives, as the documentation has them."""
    directives = {
        "uwsgi": "",
        "fastcgi": 'fastcgi_param PATH_INFO $document_uri; fastcgi_param SCRIPT_NAME "";',
        "scgi": 'scgi_param PATH_INFO $document_uri; scgi_param SCRIPT_NAME "";',
    }
    included = f"include /etc/nginx/{protocol}_params;"
    return f"{included} {directives[protocol]} {protocol}_pass 127.0.0.1:@behind@;"


@pytest.fixture(params=PROTOCOLS)
def passed(request: pytest.FixtureRequest, uwsgi: dict[str, int], start_front: StartFront) -> int:
    """The port of an nginx in front of uWSGI."""
    front = nginx(f"nginx-{request.param}", passing(request.param))
    return start_front(front, uwsgi[request.param]).port


def refused(answer: Answer) -> str:
    return answer.headers["x-refused"]


def csv() -> Request:
    return signed(GOTOM, "POST", "/items", [("Content-Type", "text/csv")], b"a,b")


@pytest.mark.parametrize("chunked", [False, True])
def test_nginx_names_content_type_and_length_twice(passed: int, chunked: bool) -> None:
    answer = send(passed, message(csv(), chunked=chunked))
    assert answer.status == 200, refused(answer)
    assert answer.json() == {"path": "/items", "key_id": "user:1", "content_type": "text/csv", "body": "a,b"}
    form = signed(GOGRID, "POST", "/items", [("Content-Type", "application/x-www-form-urlencoded")], b"a=b")
    assert send(passed, message(form, chunked=chunked)).status == 200


def test_nginx_with_an_empty_content_type(passed: int) -> None:
    request = signed(GOTOM, "GET", "/items", [("Content-Type", "")])
    assert send(passed, message(request)).status == 200


@pytest.mark.parametrize("other", ["text/html", "", "text/csv; charset=utf-8"])
def test_a_content_type_that_was_sent_twice_is_malformed(passed: int, other: str) -> None:
    """nginx shows the first as CONTENT_TYPE, the last as HTTP_CONTENT_TYPE."""
    for extra in (f"Content-Type: {other}\r\n",):
        for scheme, status in ((GOTOM, 401), (GOGRID, 400)):
            request = signed(scheme, "POST", "/items", [("Content-Type", "text/csv")], b"a,b")
            answer = send(passed, message(request, extra=extra))
            assert answer.status == status
            assert refused(answer).startswith("malformed")


def test_a_name_with_an_underscore_is_not_content_type(passed: int) -> None:
    assert send(passed, message(csv(), extra="Content_Type: text/html\r\n")).json()["content_type"] == "text/csv"
    request = csv()
    headers = tuple(pair for pair in request.headers if pair[0] != "Content-Type")
    bare = Request("POST", "/items", headers, request.body)
    assert send(passed, message(bare, extra="Content_Type: text/csv\r\n")).status == 401


@pytest.mark.parametrize("target", UNUSUAL)
def test_unusual_targets_verify_behind_nginx(passed: int, target: str) -> None:
    answer = send(passed, message(signed(GOTOM, "GET", target)))
    assert answer.status == 200, refused(answer)
    assert send(passed, message(signed(GOTOM, "GET", "/other"), target=target)).status == 401


def test_public_paths_behind_nginx(passed: int) -> None:
    assert send(passed, message(Request("GET", "/open/items"))).json()["key_id"] is None
    for target in ("/open//items", "/open/../items", "/open/%69tems", "//open/items", "/open%2Fitems"):
        assert send(passed, message(Request("GET", target))).status == 401


def test_servers_in_python_behind_nginx(flup: tuple[str, int], start_front: StartFront) -> None:
    protocol, behind = flup
    port = start_front(nginx(f"nginx-flup-{protocol}", passing(protocol)), behind).port
    assert send(port, message(csv())).json()["body"] == "a,b"
    for target in ("/v1/items?a=%2f&&", "/a%2Fb", "/%7e", "//a//b"):
        answer = send(port, message(signed(GOTOM, "GET", target)))
        assert answer.status == 200, refused(answer)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nginx_that_rewrites_runs_nothing_else(protocol: str, uwsgi: dict[str, int], start_front: StartFront) -> None:
    """The target stays as it was, and the app would run /v1/admin."""
    rules = "rewrite ^/open/strip/(.*)$ /$1 break; rewrite ^/query$ /items?admin=1 break;"
    port = start_front(nginx(f"nginx-rewrites-{protocol}", rules + passing(protocol)), uwsgi[protocol]).port
    for request in (
        Request("GET", "/open/strip/v1/admin"),
        signed(GOTOM, "GET", "/open/strip/v1/admin"),
        signed(GOGRID, "GET", "/open/strip/v1/admin"),
        signed(GOTOM, "GET", "/query"),
    ):
        answer = send(port, message(request))
        assert answer.status == 500
        assert refused(answer).startswith("lossy_target: the app would run another path")
    assert send(port, message(signed(GOTOM, "GET", "/v1/admin"), target="/open/strip/v1/admin")).status == 500
    assert send(port, message(signed(GOTOM, "GET", "/v1/items"))).status == 200


# Apache


WITHHELD = "missing: no scheme claims the request; Apache withholds Authorization from "


def test_mod_wsgi_as_packaged_withholds_authorization(start_front: StartFront, script: dict[str, object]) -> None:
    port = start_front(mod_wsgi("mod_wsgi"), 0, script).port
    answer = send(port, message(signed(GOTOM)))
    assert answer.status == 401
    assert refused(answer) == f"{WITHHELD}mod_wsgi unless it says WSGIPassAuthorization On"
    assert send(port, message(signed(GOGRID))).status == 200


MENDED = "WSGIPassAuthorization On\nAllowEncodedSlashes NoDecode\nWSGIChunkedRequest On\n"


@pytest.mark.parametrize("target", UNUSUAL)
def test_mod_wsgi_as_documented(start_front: StartFront, script: dict[str, object], target: str) -> None:
    port = start_front(mod_wsgi("mod_wsgi-mended", MENDED), 0, script).port
    answer = send(port, message(signed(GOTOM, "GET", target)))
    assert answer.status == 200, refused(answer)
    assert send(port, message(signed(GOTOM, "GET", "/other"), target=target)).status == 401


def test_bodies_and_public_paths_on_mod_wsgi(start_front: StartFront, script: dict[str, object]) -> None:
    port = start_front(mod_wsgi("mod_wsgi-mended", MENDED), 0, script).port
    assert send(port, message(csv())).json()["body"] == "a,b"
    assert send(port, message(Request("GET", "/open/items"))).json()["key_id"] is None
    for target in ("/open//items", "/open/../items", "/open/%69tems", "//open/items"):
        assert send(port, message(Request("GET", target))).status == 401


def test_mod_wsgi_behind_a_rewrite_runs_nothing_else(start_front: StartFront, script: dict[str, object]) -> None:
    rules = f"{MENDED}LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so\nRewriteEngine On\n"
    rules += 'RewriteRule "^/open/strip/(.*)$" "/$1" [PT]\nRewriteRule "^/query$" "/items?admin=1" [PT]\n'
    port = start_front(mod_wsgi("mod_wsgi-rewrites", rules), 0, script).port
    for request in (
        Request("GET", "/open/strip/v1/admin"),
        signed(GOTOM, "GET", "/open/strip/v1/admin"),
        signed(GOTOM, "GET", "/query"),
    ):
        answer = send(port, message(request))
        assert answer.status == 500
        assert refused(answer).startswith("lossy_target: the app would run another path")
    assert send(port, message(signed(GOTOM, "GET", "/v1/items"))).status == 200


def test_mod_wsgi_with_a_mount(start_front: StartFront, script: dict[str, object]) -> None:
    front = mod_wsgi("mod_wsgi-mounted", MENDED)
    config = front.config.replace("WSGIScriptAlias / ", "WSGIScriptAlias /open ")
    port = start_front(Front(front.name, front.command, config, front.user, front.needs), 0, script).port
    for target in ("/open/items", "/open/a%20b", "/open"):
        answer = send(port, message(signed(GOTOM, "GET", target)))
        assert answer.status == 200, refused(answer)
    assert send(port, message(Request("GET", "/open/items"))).status == 401  # not named in mounts


CGI = """
ScriptSock @folder@/cgid
ScriptAlias / @program@/
AllowEncodedSlashes NoDecode
"""
PROXIES = {
    "cgi": ("cgid alias", CGI),
    "fastcgi": ("proxy proxy_fcgi", "ProxyPass / fcgi://127.0.0.1:@behind@/\n"),
    "scgi": ("proxy proxy_scgi", "ProxyPass / scgi://127.0.0.1:@behind@/\n"),
}


@pytest.mark.parametrize("kind", PROXIES)
@pytest.mark.parametrize("told", [False, True])
def test_apache_withholds_authorization_from_gateways(
    kind: str, told: bool, uwsgi: dict[str, int], start_front: StartFront, script: dict[str, object]
) -> None:
    modules, directives = PROXIES[kind]
    directives += "<Location />\n  Require all granted\nCGIPASSAUTH</Location>\n"
    directives = directives.replace("CGIPASSAUTH", "  CGIPassAuth On\n" if told else "")
    port = start_front(apache(f"apache-{kind}-{told}", modules, directives), uwsgi.get(kind, 0), script).port
    answer = send(port, message(signed(GOTOM, "GET", "/v1/items")))
    if told:
        assert answer.status == 200, refused(answer)
        assert answer.json()["path"] == "/v1/items"
    else:
        assert answer.status == 401
        assert refused(answer) == f"{WITHHELD}CGI, FastCGI and SCGI unless it says CGIPassAuth On"


def test_apache_that_speaks_uwsgis_protocol_withholds_nothing(uwsgi: dict[str, int], start_front: StartFront) -> None:
    front = apache("apache-uwsgi", "proxy proxy_uwsgi", "ProxyPass / uwsgi://127.0.0.1:@behind@/\n")
    port = start_front(front, uwsgi["uwsgi"]).port
    assert send(port, message(csv())).json()["body"] == "a,b"
