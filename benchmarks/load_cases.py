"""The requests of load.py, good and bad, each with what has to become of it.

They are signed here by hmac and hashlib alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Literal

ORIGIN = "https://api.example.com"
MAX_BODY = 2 * 1024 * 1024
AHEAD = 1
"""By how many seconds clients may be ahead when Redis loses its memory."""
GRID_USES = 3
"""How often a GoGrid signature may verify."""

_TOM = [f"tom-{number}" for number in range(20)]
_GRID = [f"grid-{number}" for number in range(40)]
_KNOWN = frozenset(_TOM + _GRID)
_FORM = "application/x-www-form-urlencoded"
_WRONG = "not the secret"
_SALT = b"the secrets of the load run"
_TOO_LARGE = bytes(MAX_BODY + 1)


def secret_of(key_id: str) -> str | None:
    """A key's secret; None where there is no such key."""
    return _derived(key_id) if key_id in _KNOWN else None


def _derived(key_id: str) -> str:
    return hmac.new(_SALT, key_id.encode(), "sha256").hexdigest()


@dataclass(frozen=True)
class Refusal:
    status: int
    reason: str


UNAVAILABLE = Refusal(503, "unavailable")
REPLAYED = Refusal(401, "replayed")
REPLAYED_BY_GRID = Refusal(403, "replayed")


@dataclass
class Message:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    framing: Literal["length", "chunked"] = "length"

    def set(self, name: str, value: str) -> None:
        self.remove(name)
        self.headers.append((name, value))

    def remove(self, name: str) -> None:
        self.headers = [pair for pair in self.headers if pair[0] != name]

    def pieces(self, request_id: str) -> tuple[bytes, bytes]:
        """The bytes of the head and of the body."""
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: api.example.com", f"X-Request-Id: {request_id}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        body = self.body
        if self.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
            size = max(1, len(body) // 5)
            chunks = [body[start : start + size] for start in range(0, len(body), size)]
            body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
        elif body or self.method not in ("GET", "HEAD"):
            lines.append(f"Content-Length: {len(body)}")
        return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n", body


@dataclass(frozen=True)
class Case:
    """A request that is sent in `copies`: `let_in` of them are let in, and the rest get the refusal.

    `is_guarded`: the replay guard is asked, so that none is let in while there is none. `delivery` says how it is
    sent: at once, slowly, cut off in mid-body, or the head alone. `signed` is when, in Unix seconds. With `may_fail`
    fewer may be let in, and the rest be unavailable.
    """

    kind: str
    message: Message = field(repr=False)
    let_in: int = 1
    copies: int = 1
    refusal: Refusal | None = None
    key_id: str | None = None
    is_guarded: bool = False
    delivery: Literal["whole", "slow", "cut", "head"] = "whole"
    may_fail: bool = False

    def without_guard(self) -> Case:
        """The same while the guard cannot be asked."""
        return replace(self, let_in=0, refusal=UNAVAILABLE) if self.is_guarded and self.let_in else self

    def meanwhile(self) -> Case:
        """The same while the guard comes or goes."""
        return replace(self, may_fail=True) if self.is_guarded and self.let_in else self

    def again_at_most(self) -> Case:
        """The same once more, of which some uses may be spent already."""
        return replace(self, may_fail=True, refusal=self.refusal or self._replayed()) if self.is_guarded else self

    def again(self, refusal: Refusal | None = None) -> Case:
        """A replay of it, which is refused."""
        kind, refusal = f"{self.kind}, replayed", refusal or self._replayed()
        return replace(self, kind=kind, let_in=0, copies=1, refusal=refusal, delivery="whole", may_fail=False)

    def _replayed(self) -> Refusal:
        return REPLAYED_BY_GRID if (self.key_id or "").startswith("grid") else REPLAYED


class Cases:
    """Makes cases. `clock` returns Unix seconds, and dates are up to `past` seconds before and `future` after it."""

    def __init__(self, seed: int, clock: Callable[[], float], *, past: int = 1200, future: int = 1200) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret comes of it
        self._clock = clock
        self.past = past
        self.future = future
        self._number = 0
        self._grid_signatures: set[tuple[str, int]] = set()

    def mixed(self, sends: int) -> list[Case]:
        """Cases of all kinds in random order, which are sent `sends` times in all, or a few more."""
        kinds, weights = zip(*_KINDS.items(), strict=True)
        cases: list[Case] = []
        while sends > 0:
            make = kinds[len(cases)] if len(cases) < len(kinds) else self._random.choices(kinds, weights)[0]
            cases.append(make(self))
            sends -= cases[-1].copies
        self._random.shuffle(cases)
        return cases

    # goTom

    def get(self) -> Case:
        return self._tom("good GET, thrice", "GET", copies=3, let_in=3)

    def post(self) -> Case:
        return self._tom("good POST", "POST", self._body(1, 4096), is_guarded=True)

    def chunked(self) -> Case:
        case = self._tom("good POST in chunks", "POST", self._body(1, 65536), is_guarded=True)
        case.message.framing = "chunked"
        return case

    def large(self) -> Case:
        case = self._tom("good POST, 64 KiB to 2 MiB", "POST", self._body(65536, MAX_BODY), is_guarded=True)
        case.message.framing = self._random.choice(("length", "chunked"))
        return case

    def slow(self) -> Case:
        return self._tom("good POST, slow", "POST", self._body(100, 20_000), is_guarded=True, delivery="slow")

    def other_method(self) -> Case:
        method = self._random.choice(("PUT", "DELETE", "PATCH"))
        return self._tom("good PUT, DELETE, PATCH", method, self._body(0, 200), is_guarded=True)

    def form(self) -> Case:
        body = b"name=a+campaign&note=" + self._random.randbytes(50).hex().encode()
        return self._tom("good POST of a form", "POST", body, content_type=_FORM, is_guarded=True)

    def replayed(self) -> Case:
        copies = self._random.randint(2, 6)
        body = self._body(0, 3000)
        return self._tom("POST many times", "POST", body, copies=copies, is_guarded=True, refusal=REPLAYED)

    def wrong_secret(self) -> Case:
        method = self._random.choice(("GET", "POST"))
        body = b"" if method == "GET" else self._body(1, 2000)
        return self._tom("wrong secret", method, body, secret=_WRONG, refusal=Refusal(401, "mismatch"))

    def unknown_key(self) -> Case:
        return self._tom("unknown key", "GET", key_id=f"nobody-{self._count()}", refusal=Refusal(401, "unknown_key"))

    def stale(self) -> Case:
        return self._tom("stale", "GET", at=self._now() - 4000, refusal=Refusal(401, "stale"))

    def future_date(self) -> Case:
        return self._tom("from the future", "POST", b"x", at=self._now() + 4000, refusal=Refusal(401, "future"))

    def tampered(self) -> Case:
        case = self._tom("tampered with", "POST", self._body(1, 2000), refusal=Refusal(401, "mismatch"))
        message = case.message
        what = self._random.choice(("method", "target", "body", "date", "content type"))
        if what == "method":
            message.method = "PUT"
        elif what == "target":
            message.target += "&more=1"
        elif what == "body":
            message.body = message.body[:-1] + bytes([message.body[-1] ^ 1])
        elif what == "date":
            date = datetime.strptime(dict(message.headers)["Date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
            message.set("Date", _date(int(date.timestamp()) + 1))
        else:
            message.set("Content-Type", "text/plain")
        return case

    def missing(self) -> Case:
        case = self._tom("no Authorization, or another's", "GET", refusal=Refusal(401, "missing"))
        case.message.remove("Authorization")
        if self._random.random() < 0.5:
            case.message.set("Authorization", "Basic dXNlcjpwYXNzd29yZA==")
        return case

    def malformed(self) -> Case:
        case = self._tom("malformed", "POST", self._body(0, 500), refusal=Refusal(401, "malformed"))
        message, (_, authorization) = case.message, case.message.headers[-1]
        what = self._random.randrange(6)
        if what == 0:
            message.set("Authorization", authorization.partition(":")[0])
        elif what == 1:
            message.set("Authorization", authorization[:-3])
        elif what == 2:
            message.set("Date", "yesterday")
        elif what == 3:
            message.remove("Content-Type")
        elif what == 4:
            message.remove("Date")
        else:
            message.set("X-HTTP-Method-Override", "DELETE")
        return case

    def repeated(self) -> Case:
        case = self._tom("a header repeated", "GET", refusal=Refusal(401, "malformed"))
        case.message.headers.append(self._random.choice(case.message.headers))
        return case

    def too_large(self) -> Case:
        case = self._tom("too large, as declared", "POST", b"", delivery="head", refusal=Refusal(413, "body_too_large"))
        case.message.body = _TOO_LARGE
        return case

    def too_large_in_chunks(self) -> Case:
        case = self._tom("too large, in chunks", "POST", b"", refusal=Refusal(413, "body_too_large"))
        case.message.framing, case.message.body = "chunked", _TOO_LARGE
        return case

    def cut(self) -> Case:
        case = self._tom("cut off in mid-body", "POST", self._body(10, 100_000), let_in=0, delivery="cut")
        case.message.framing = self._random.choice(("length", "chunked"))
        return case

    def public(self) -> Case:
        return Case("public", Message("GET", "/health", []))

    # GoGrid

    def grid(self) -> Case:
        return self._grid("GoGrid, good", is_guarded=True)

    def grid_form(self) -> Case:
        return self._grid("GoGrid, good form", in_form=True, is_guarded=True)

    def grid_uses(self) -> Case:
        copies = self._random.randint(GRID_USES, GRID_USES + 3)
        refusal = REPLAYED_BY_GRID
        return self._grid(
            f"GoGrid, {GRID_USES} uses", let_in=GRID_USES, copies=copies, is_guarded=True, refusal=refusal
        )

    def grid_wrong_secret(self) -> Case:
        in_form = self._random.random() < 0.3
        return self._grid("GoGrid, wrong secret", secret=_WRONG, in_form=in_form, refusal=Refusal(403, "mismatch"))

    def grid_unknown_key(self) -> Case:
        key_id = f"nobody-{self._count()}"
        return self._grid("GoGrid, unknown key", key_id=key_id, refusal=Refusal(403, "unknown_key"))

    def grid_out_of_window(self) -> Case:
        away = self._random.choice((-1500, 1500))
        return self._grid("GoGrid, out of window", at=self._now() + away, refusal=Refusal(403, "mismatch"))

    def grid_bad_version(self) -> Case:
        refusal = Refusal(400, "unsupported_version")
        return self._grid("GoGrid, bad version", version="2.0", refusal=refusal)

    def grid_malformed(self) -> Case:
        case = self._grid("GoGrid, malformed", refusal=Refusal(400, "malformed"))
        message = case.message
        what = self._random.randrange(4)
        if what == 0:
            message.target = message.target.replace("&v=1.5", "")
        elif what == 1:
            message.target += "&v=1.5"
        elif what == 2:
            message.target = message.target.replace("&v=1.5", "0&v=1.5")
        else:
            message.method, message.body = "POST", b"v=1.5"
            message.set("Content-Type", _FORM)
        return case

    def both(self) -> Case:
        grid = self._grid("both schemes at once")
        case = self._tom(grid.kind, "GET", target=grid.message.target, refusal=Refusal(401, "ambiguous"))
        return replace(case, key_id=None)

    def _tom(
        self,
        kind: str,
        method: str,
        body: bytes = b"",
        *,
        key_id: str = "",
        secret: str = "",
        at: int | None = None,
        target: str = "",
        content_type: str = "application/json",
        let_in: int | None = None,
        copies: int = 1,
        refusal: Refusal | None = None,
        is_guarded: bool = False,
        delivery: Literal["whole", "slow", "cut", "head"] = "whole",
    ) -> Case:
        key_id = key_id or self._random.choice(_TOM)
        secret = secret or _derived(key_id)
        target = target or f"/app-api/campaign/{self._count()}?x=%20{self._random.randrange(100)}"
        date = _date(self._within(self.past, self.future) if at is None else at)
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        text = f"{method}\n{md5}\n{content_type}\n{date}\n\n{target}"
        signature = base64.b64encode(hmac.new(secret.encode(), text.encode(), "sha1").digest()).decode()
        headers = [("Content-Type", content_type), ("Date", date)]
        headers.append(("Authorization", f"gotom_app_api {key_id}:{signature}"))
        if let_in is None:
            let_in = 0 if refusal and not is_guarded else 1
        message = Message(method, target, headers, body)
        return Case(kind, message, let_in, copies, refusal, key_id, is_guarded, delivery)

    def _grid(
        self,
        kind: str,
        *,
        key_id: str = "",
        secret: str = "",
        at: int | None = None,
        version: str = "1.5",
        in_form: bool = False,
        let_in: int | None = None,
        copies: int = 1,
        refusal: Refusal | None = None,
        is_guarded: bool = False,
    ) -> Case:
        key_id = key_id or self._random.choice(_GRID)
        if at is None:
            at = self._within(min(self.past, 400), min(self.future, 400))
            while (key_id, at) in self._grid_signatures:  # each signature is for one case
                key_id, at = self._random.choice(_GRID), self._within(min(self.past, 400), min(self.future, 400))
            self._grid_signatures.add((key_id, at))
        secret = secret or _derived(key_id)
        signature = hashlib.md5(f"{key_id}{secret}{at}".encode(), usedforsecurity=False).hexdigest()
        parameters = f"api_key={key_id}&sig={signature}&v={version}"
        target = f"/api/grid/server/list?number={self._count()}"
        if let_in is None:
            let_in = 0 if refusal and not is_guarded else 1
        if in_form:
            message = Message("POST", target, [("Content-Type", _FORM)], f"name=a+server&{parameters}".encode())
        else:
            message = Message("GET", f"{target}&{parameters}", [])
        return Case(kind, message, let_in, copies, refusal, key_id, is_guarded)

    def _now(self) -> int:
        return int(self._clock())

    def _within(self, past: int, future: int) -> int:
        return self._now() + self._random.randint(-past, future)

    def _count(self) -> int:
        self._number += 1
        return self._number

    def _body(self, least: int, most: int) -> bytes:
        return self._random.randbytes(self._random.randint(least, most))


# With the weight of each: about half of what is sent is good.
_KINDS: dict[Callable[[Cases], Case], int] = {
    Cases.get: 20,
    Cases.post: 20,
    Cases.chunked: 5,
    Cases.large: 1,
    Cases.slow: 2,
    Cases.other_method: 5,
    Cases.form: 5,
    Cases.replayed: 20,
    Cases.wrong_secret: 10,
    Cases.unknown_key: 8,
    Cases.stale: 6,
    Cases.future_date: 6,
    Cases.tampered: 10,
    Cases.missing: 6,
    Cases.malformed: 8,
    Cases.repeated: 4,
    Cases.too_large: 3,
    Cases.too_large_in_chunks: 1,
    Cases.cut: 5,
    Cases.public: 4,
    Cases.grid: 12,
    Cases.grid_form: 8,
    Cases.grid_uses: 8,
    Cases.grid_wrong_secret: 8,
    Cases.grid_unknown_key: 4,
    Cases.grid_out_of_window: 4,
    Cases.grid_bad_version: 4,
    Cases.grid_malformed: 6,
    Cases.both: 4,
}


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def spent(cases: Iterable[Case]) -> list[Case]:
    """Those that the guard has let in as often as it may."""
    return [
        case
        for case in cases
        if case.is_guarded and case.let_in and (case.refusal or not (case.key_id or "").startswith("grid"))
    ]
