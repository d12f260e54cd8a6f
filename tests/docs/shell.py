"""Runs the console blocks of a page: what stands behind `$` is done, and what is shown below it must come of it."""

from __future__ import annotations

import gc
import os
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.command import Result, environment, process, undersign
from tests.docs.hosts import PORTS, Hosts
from tests.docs.pages import ROOT, Block

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_EXTRAS = set(_PROJECT["project"]["optional-dependencies"])
_PACKAGES = {
    *(
        "django-cors-headers",
        "flask-cors",
        "gunicorn",
        "httpx2",
        "psycopg",
        "requests-mock",
        "respx",
        "responses",
        "sqlalchemy",
        "undersign",
        "urllib3",
        "uvicorn",
        "vcrpy",
        "waitress",
        "websockets",
    ),
    "werkzeug",
}
_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[([\w,-]+)\])?")
_EXAMPLES = ROOT / "docs" / "examples" / "servers"
_SCHEMES = ROOT / "docs" / "examples" / "schemes"


class Shell:
    """A reader's terminal. Commands that it does not know are an AssertionError."""

    def __init__(self, folder: Path, hosts: Hosts, packages: list[Path]) -> None:
        self.folder = folder
        self.packages = os.pathsep.join(map(str, packages))
        self.hosts = hosts
        self.variables: dict[str, str | None] = {"UNDERSIGN_SECRET": None}
        self.servers = ExitStack()
        self.logs: list[Path] = []
        self._programs: dict[str, Callable[[list[str], bytes], Result]] = {
            "undersign": self._undersign,
            "python": self._python,
            "http": self._http,
            "uvicorn": self._uvicorn,
            "export": self._export,
            "sed": self._sed,
            "make": _make,
            "pip": _pip,
            "python3": _venv,
            ".": _activate,
        }

    def run(self, block: Block) -> None:
        """Do what a block shows."""
        for command, shown in _commands(block.text):
            result = self._run(command, f"{block}: {command}")
            if not shown:
                assert result.code == 0, f"{block}: {command} ended with {result.code}: {result.err}"
            else:
                pattern = ".*".join(re.escape(part) for part in shown.strip().split("…"))
                assert re.fullmatch(pattern, result.text.replace("\r", "").strip(), re.DOTALL), result

    def _run(self, command: str, where: str) -> Result:
        words = shlex.split(re.sub(r" <(?=\w)", " < ", command), comments=True)
        stdin = b""
        if "<" in words:
            at = words.index("<")
            stdin = Path(self.folder, words[at + 1]).read_bytes()
            del words[at : at + 2]
        into = None
        if words[-2:-1] == [">"]:
            into = self.folder / words[-1]
            del words[-2:]
        assert words[0] in self._programs, f"{where}: how to run {words[0]} is not known here"
        result = self._programs[words[0]](words[1:], stdin)
        if into is None:
            return result
        into.write_bytes(result.out)
        return replace(result, out=b"")

    def _undersign(self, arguments: list[str], stdin: bytes) -> Result:
        if arguments[0] == "serve":
            return self._serve([sys.executable, "-m", "undersign.cli", *arguments, "--port", "0"])
        if arguments[0] in ("proxy", "gateway"):
            return self._serve([sys.executable, "-m", "undersign.cli", *arguments, "--listen", "127.0.0.1:0"])
        if arguments[0] == "conform":
            port = arguments[arguments.index("--" if "--" in arguments else "--against") + 1].split()[0]
            if not shutil.which(port):
                pytest.skip(f"{port} is not installed")
            return process(*arguments, env={**self.variables, "PYTHONPATH": self.packages}, cwd=self.folder)
        if arguments[0] == "inspect":
            return self._serve([sys.executable, "-m", "undersign.cli", *arguments, "--no-open"])
        return undersign(*arguments, stdin=stdin, env=self.variables)

    def _sed(self, arguments: list[str], stdin: bytes) -> Result:
        done = subprocess.run(["sed", *arguments], cwd=self.folder, capture_output=True, check=False, timeout=30)
        return Result(done.returncode, done.stdout, done.stderr.decode())

    def _uvicorn(self, arguments: list[str], stdin: bytes) -> Result:
        return self._serve([sys.executable, "-m", "uvicorn", *arguments, "--port", "0"])

    def _serve(self, command: list[str]) -> Result:
        first = self.servers.enter_context(self._serving(command))
        return Result(0, first.encode(), "")

    @contextmanager
    def _serving(self, command: list[str]) -> Iterator[str]:
        """A server on a free port, which stands for the one on the page; its first line, with the page's port."""
        log = self.folder / f"server-{len(self.logs)}.log"
        paths = {"PYTHONPATH": str(_EXAMPLES), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": ""}
        with log.open("wb") as errors:
            server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors if "uvicorn" not in command else subprocess.STDOUT,
                env=environment({**self.variables, **paths}),
                cwd=self.folder,
                start_new_session=True,
            )
        assert server.stdout
        try:
            said = b""
            while not (found := re.search(rb"http://127\.0\.0\.1:(\d+)", said)):
                said = server.stdout.readline()
                assert said, log.read_text()
            self.hosts.ports[PORTS[0]] = int(found[1])
            self.logs.append(log)
            yield said.decode().replace(found[1].decode(), str(PORTS[0]))
        finally:
            server.terminate()
            server.communicate(timeout=30)

    def _python(self, arguments: list[str], stdin: bytes) -> Result:
        assert arguments[0] == "-c"
        done = subprocess.run([sys.executable, *arguments], capture_output=True, check=False, timeout=30)
        return Result(done.returncode, done.stdout, done.stderr.decode())

    def _http(self, arguments: list[str], stdin: bytes) -> Result:
        from httpie.context import Environment  # type: ignore[import-untyped]
        from httpie.core import main  # type: ignore[import-untyped]

        settings = self.folder / "httpie"
        settings.mkdir(exist_ok=True)
        (settings / "config.json").write_text('{"disable_update_warnings": true}')
        log = self.folder / "httpie.out"
        saved = dict(os.environ)
        os.environ.update({name: value for name, value in self.variables.items() if value is not None})
        try:
            with log.open("w+") as out:
                environ = Environment(stdin=None, stdin_isatty=True, stdout=out, stderr=out, config_dir=settings)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ResourceWarning)  # it leaves its connections to the collector
                    code = main(["http", *arguments], env=environ)
                    gc.collect()
        finally:
            os.environ.clear()
            os.environ.update(saved)
        return Result(int(code), log.read_bytes(), log.read_text())

    def _export(self, arguments: list[str], stdin: bytes) -> Result:
        for argument in arguments:
            name, _, value = argument.partition("=")
            self.variables[name] = value
        return Result(0, b"", "")


def _commands(text: str) -> list[tuple[str, str]]:
    """Each command of a console block with the output that is shown below it."""
    assert text.startswith("$ "), f"a console block begins with a command: {text!r}"
    parts = re.split(r"^\$ ", text.replace("\\\n", ""), flags=re.MULTILINE)[1:]
    return [(command, shown) for command, _, shown in (part.partition("\n") for part in parts)]


def _make(arguments: list[str], stdin: bytes) -> Result:
    """That there is such a target; the gates run them."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in arguments), arguments
    return Result(0, b"", "")


def _pip(arguments: list[str], stdin: bytes) -> Result:
    """That there are such packages and extras; the gates install them."""
    assert arguments[0] == "install"
    for argument in arguments[1:]:
        if argument == "-e":
            continue
        if argument.startswith("./"):
            assert (_SCHEMES / argument / "pyproject.toml").is_file(), argument
            continue
        requirement = _REQUIREMENT.fullmatch(argument)
        assert requirement, argument
        assert requirement[1] in _PACKAGES | {"."}, argument
        if requirement[1] in ("undersign", "."):
            assert set((requirement[2] or "cli").split(",")) <= _EXTRAS, argument
    return Result(0, b"", "")


def _venv(arguments: list[str], stdin: bytes) -> Result:
    assert arguments == ["-m", "venv", ".venv"]
    return Result(0, b"", "")


def _activate(arguments: list[str], stdin: bytes) -> Result:
    assert arguments == [".venv/bin/activate"]
    return Result(0, b"", "")
