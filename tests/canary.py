"""A canary: whatever the suite emits is searched for the suite's own secrets and for signatures that are good.

    secrets and signatures          what is emitted
    Secret(…), every MAC made  ──>  errors with locals of the library's frames, logs, warnings, answers, pickles,
    and those made by hand          process arguments, the command line's output, files left in the temporary folder

All of it is collected while a test runs and searched at its end, since a secret may be known later than it is shown. A
finding fails the test, unless `canary.json` explains it. It is loaded by `tests/conftest.py`.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import logging
import pickle
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from warnings import WarningMessage

import pytest

import undersign
from undersign.core.credentials import NO_SECRET, Secret
from undersign.core.message import Response
from undersign.parts.macs import Mac
from undersign.scheme import Scheme

EXPLAINED = Path(__file__).with_name("canary.json")
SHORTEST = 10
"""Shorter secrets, such as "secret", are words that stand anywhere."""

_Told = Callable[[Any, tuple[Any, ...]], object]
_PACKAGE = Path(undersign.__file__).parent
_PREFIX = 8
_LONGEST_PIECE, _MOST_ERRORS, _MOST_SIGNATURES = 2**16, 50, 2000
_HALF = _LONGEST_PIECE // 2


@dataclass(frozen=True)
class Finding:
    """What was found: a "secret" or a "signature", in which kind of output, and the text around it without it."""

    what: str
    kind: str
    excerpt: str

    def __str__(self) -> str:
        return f"a {self.what} shows in {self.kind}: {self.excerpt}"


@dataclass
class Canary:
    """What is private, and what was emitted since the last search."""

    lasting: dict[str, str] = field(default_factory=dict)  # spellings, of what is made outside of tests
    private: dict[str, str] = field(default_factory=dict)
    late: deque[str] = field(default_factory=lambda: deque(maxlen=_MOST_SIGNATURES))  # for the files left behind
    pieces: list[tuple[str, str]] = field(default_factory=list)
    errors: int = 0
    in_test: bool = False
    _index: dict[str, list[str]] = field(default_factory=dict)
    _indexed: int = 0

    def note_secret(self, value: bytes) -> None:
        if len(value) >= SHORTEST and value != NO_SECRET.reveal():
            noted = self.private if self.in_test else self.lasting
            for spelling in spellings(value):
                noted.setdefault(spelling, "secret")

    def note_signature(self, value: str) -> None:
        if len(value) >= SHORTEST and len(self.private) < _MOST_SIGNATURES:
            self.private[value] = "signature"
            self.late.append(value)

    def emit(self, kind: str, *values: object) -> None:
        """Keep what is emitted: text as it is, bytes as Latin-1, anything else by its repr."""
        for value in values:
            shown = value
            if not isinstance(shown, (str, bytes)):
                with contextlib.suppress(Exception):  # an object that was refused while it was being built
                    shown = repr(value)
            if isinstance(shown, (str, bytes)) and len(shown) >= SHORTEST:
                # Of what is long both ends: some tests measure the memory that is taken meanwhile.
                ends = (shown,) if len(shown) <= _LONGEST_PIECE else (shown[:_HALF], shown[-_HALF:])
                self.pieces += [(kind, end if isinstance(end, str) else end.decode("latin-1")) for end in ends]

    def emit_error(self, kind: str, error: BaseException) -> None:
        """An error as error reporters show it, with those behind it and the locals of the library's frames."""
        self.errors += 1
        if self.errors > _MOST_ERRORS:  # of a law with thousands of examples
            return
        behind: BaseException | None = error
        while behind is not None:
            traceback, ours = behind.__traceback__, isinstance(behind, undersign.UndersignError)
            while traceback is not None:
                frame = traceback.tb_frame
                if frame.f_code.co_filename.startswith(str(_PACKAGE)):
                    ours = True
                    for name, value in frame.f_locals.items():
                        place = f"the local {name} of {frame.f_code.co_name} under {type(behind).__name__}"
                        self.emit(f"{kind}: {place}", value)
                traceback = traceback.tb_next
            if ours:
                self.emit(kind, str(behind), behind, vars(behind))
            behind = behind.__cause__ or behind.__context__

    def search(self) -> list[Finding]:
        """What was found since the last time; all that is not lasting is forgotten."""
        found: dict[tuple[str, str], Finding] = {}
        for needles in (self.lasting, self.private) if self.pieces else ():
            starts = self._starts(needles)
            for kind, text in dict.fromkeys(self.pieces):
                here = {text[at : at + _PREFIX] for at in range(len(text) - _PREFIX + 1)}
                for needle in [needle for start in here & starts.keys() for needle in starts[start] if needle in text]:
                    at = text.index(needle)
                    around = text[max(0, at - 60) : at], text[at + len(needle) : at + len(needle) + 60]
                    what = needles[needle]
                    found[kind, what] = Finding(what, kind, repr(f"<{what}>".join(around)))
        self.private = {}
        self.pieces.clear()
        self.errors = 0
        return list(found.values())

    def _starts(self, needles: dict[str, str]) -> dict[str, list[str]]:
        """The needles by their first letters: to look those of a text up is quicker than to look for each needle."""
        if needles is self.lasting and len(needles) == self._indexed:
            return self._index
        starts: dict[str, list[str]] = {}
        for needle in needles:
            starts.setdefault(needle[:_PREFIX], []).append(needle)
        if needles is self.lasting:
            self._index, self._indexed = starts, len(needles)
        return starts


def spellings(value: bytes) -> Iterator[str]:
    """The ways in which a secret may be written."""
    yield value.decode("latin-1")
    with contextlib.suppress(UnicodeDecodeError):
        yield value.decode()
    yield value.hex()
    yield base64.b64encode(value).decode().rstrip("=")
    yield quote(value, safe="")


CANARY = Canary()


def noted(signature: str) -> str:
    """The signature, which a test has made by hand, perhaps for all tests of its file."""
    if CANARY.in_test:
        CANARY.note_signature(signature)
    else:
        CANARY.lasting[signature] = "signature"
    return signature


def _classes(base: type[Any]) -> Iterator[type[Any]]:
    yield base
    for known in base.__subclasses__():
        yield from _classes(known)


class Plugin:
    """Watches the places where secrets come from and where output goes, for as long as the suite runs."""

    def __init__(self, canary: Canary, explained: Iterable[Mapping[str, str]]) -> None:
        self._canary = canary
        self._explained = list(explained)
        self._stack = contextlib.ExitStack()
        self._folder = ""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        canary = self._canary
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # tests' own files are not there
        patch = self._stack.enter_context(pytest.MonkeyPatch.context())

        def watch(
            owner: Any, name: str, told: Callable[[Any, tuple[Any, ...]], object], *, before: bool = False
        ) -> None:
            original = getattr(owner, name)

            @functools.wraps(original)
            def watched(*args: Any, **options: Any) -> Any:
                if before:
                    told(None, args)
                result = original(*args, **options)
                if not before:
                    told(result, args)
                return result

            patch.setattr(owner, name, watched)

        watch(Secret, "__init__", lambda _, args: canary.note_secret(args[0].reveal()))
        watch(Mac, "signature", lambda made, _: canary.note_signature(made))
        for scheme in set(_classes(Scheme)):
            if "signature" in vars(scheme) and scheme.__module__.startswith("undersign.schemes"):
                watch(scheme, "signature", lambda made, _: canary.note_signature(made))
        watch(pickle, "dumps", lambda made, _: canary.emit("a pickle", made))
        watch(subprocess.Popen, "__init__", lambda _, args: canary.emit("process arguments", *args[1:2]), before=True)
        watch(logging.Logger, "handle", lambda _, args: self._logged(args[1]))
        watch(pytest.RaisesExc, "__exit__", lambda _, args: self._raised(args[2]), before=True)
        made = Response.__new__

        def answered(cls: type[Response], status: int, headers: Any, body: bytes) -> Response:
            canary.emit("an answer", *(value for _, value in headers), body)
            return made(cls, status, headers, body)

        patch.setattr(Response, "__new__", answered)
        # In a folder of its own, so that what stays there is ours; open to other users, whose servers tests start.
        self._folder = tempfile.mkdtemp(prefix="c-")
        Path(self._folder).chmod(0o1777)
        patch.setenv("TMPDIR", self._folder)
        patch.setattr(tempfile, "tempdir", self._folder)

    def _logged(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING and not record.name.startswith("undersign"):
            return
        self._canary.emit(f"the log {record.name}", {**vars(record), "exc_info": None})
        with contextlib.suppress(Exception):  # of a library that formats wrongly
            self._canary.emit(f"the log {record.name}", record.getMessage())
        if record.exc_info and record.exc_info[1] is not None:
            self._canary.emit_error(f"the log {record.name}", record.exc_info[1])

    def _raised(self, error: BaseException | None) -> None:
        if error is not None:
            self._canary.emit_error("an error", error)

    def pytest_warning_recorded(self, warning_message: WarningMessage) -> None:
        self._canary.emit("a warning", str(warning_message.message))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        self._canary.in_test = True
        try:
            return (yield)
        finally:
            self._canary.in_test = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when != "teardown":
            return report
        unexplained = [finding for finding in self._canary.search() if not self._is_explained(finding, item.nodeid)]
        if unexplained and report.passed:
            report.outcome = "failed"
            report.longrepr = "\n".join(map(str, unexplained))
        return report

    def _is_explained(self, finding: Finding, test: str) -> bool:
        return any(
            test.startswith(entry["test"]) and finding.what == entry["what"] and finding.kind.startswith(entry["kind"])
            for entry in self._explained
        )

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        canary, folder = self._canary, Path(self._folder)
        for signature in canary.late:
            canary.private[signature] = "signature"
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                with path.open("rb") as file:
                    canary.emit(f"the file {path.relative_to(folder)}", str(path.name), file.read(2**24))
        left = [finding for finding in canary.search() if not self._is_explained(finding, "")]
        self._stack.close()
        shutil.rmtree(folder, ignore_errors=True)
        if left:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            raise pytest.UsageError("\n".join(map(str, left)))


def plugin() -> Plugin:
    return Plugin(CANARY, json.loads(EXPLAINED.read_text(encoding="utf-8")))
