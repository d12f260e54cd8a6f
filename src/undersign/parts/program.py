"""A recipe, compiled: the functions that schemes of parts sign and verify with.

    signing     draft:  values from the claim ─┐
                                               ├─> texts of the parts ─> joined, with the body and the second ─> MAC
    verifying   read:   values from carriers ──┘

Both ways meet in `texts`, so there is one string to sign. What needs the body, or a second that is not sent, is left
open there (`late`) and filled in by `string`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from operator import attrgetter

from ..core.dates import Window
from ..core.grammar import CONTROL
from ..core.message import Component, Request, body_length
from ..errors import CannotSign, ConfigError
from ..scheme import BodyNeed
from ..scheme import Part as ShownPart
from .carriers import Carriers
from .digests import compared_digest, digest_named, written_digest
from .lines import names_there
from .macs import ALGORITHMS, ENCODINGS, SECRET_FORMS, Mac, SecretForm, encoded_pattern
from .message import SECRET, Body, Part, PartSpec, Values, compiled_part, unix_second
from .times import TimeForm, time_form
from .trading import traded

NONCES = ("required", "number", "optional")
_LONGEST_SEARCH = 86_400
_SAMPLE_TIME = 1_730_974_875.0
_NO_REQUEST = Request("GET", "/")
_NO_VALUES = Values("", "", 0.0, "", {})


class Program:
    """The compiled form of what a scheme of parts declares. Raises ConfigError for what cannot work, with the field
    and the remedy."""

    def __init__(
        self,
        *,
        parts: Sequence[PartSpec],
        joiner: str,
        mac: str,
        encoding: str,
        secret: str = "text",  # noqa: S107 - the form of secrets
        secret_prefix: str = "",
        time: str,
        window: Window | None,
        carriers: Carriers,
        allow_http: bool | None = None,
        any_case: bool = False,
        nonce: str = "required",
    ) -> None:
        if encoding not in ENCODINGS:
            raise ConfigError(f"encoding {encoding!r} is unknown: use one of {', '.join(ENCODINGS)}")
        if secret not in SECRET_FORMS:
            raise ConfigError(
                f"secret {secret!r} is unknown: it says how the text becomes bytes, {', '.join(SECRET_FORMS)}"
            )
        if isinstance(parts, str) or not isinstance(parts, Sequence) or not parts:
            raise ConfigError('parts is a list of what is signed: write parts = ["time", "method", "target"]')
        if not isinstance(joiner, str) or not all(character == "\n" or " " <= character <= "~" for character in joiner):
            raise ConfigError("joiner is printable ASCII and line feeds: what stands between two parts")
        if any_case and encoding.lower() != "hex":
            raise ConfigError(f"any_case is for hex alone, and encoding is {encoding!r}: case has a meaning there")
        self.folded_signature = (str.upper if encoding == "HEX" else str.lower) if any_case else None
        """What gives a signature that was sent its one spelling, where the recipe takes any case of hex."""
        self.carriers = carriers
        self.joiner = joiner
        self.window = window
        self.time: TimeForm = time_form(time)
        self.time_name = "time" if time in ("unix", "unix-ms") else "date"
        self.time_is_sent = "time" in carriers.sent
        self.parts: tuple[Part, ...] = tuple(
            compiled_part(spec, time_is_sent=self.time_is_sent, field=f"parts[{place}]")
            for place, spec in enumerate(parts)
        )
        self.parts = self._with_time_of_carrier(self.parts)
        self.secret_form = SecretForm(secret, secret_prefix.encode())
        # A digest is what its own parts are, to whoever asks what is signed.
        self._flat = tuple(inner for part in self.parts for inner in (part, *part.holds))
        self.optional_extras = frozenset(
            name[len("extra.") :] for name in carriers.left_out_without if name[:6] == "extra."
        )
        if carriers.left_out_without:
            self.parts = tuple(self._may_be_absent(part) for part in self.parts)
        self.headers = tuple(dict.fromkeys(name for part in self.parts for name in part.headers))
        self._check_sent(mac)
        self._check_time()
        before, behind = self._secrets_around_body()
        self.mac = Mac(mac, encoding, self.secret_form, before, behind)
        for template in carriers.templates:
            template.check(self._samples())
        self._check_carriers()
        carriers.draft_too(self.headers)
        self.parts += self._compared_digests()
        self._lists = self._list_of_headers()
        whole = {part.name for part in self.parts if part.is_whole}
        bound = frozenset[Component]().union(*(part.binds for part in self.parts))
        if carriers.header_names >= {*self.headers} - {"content-type", "host"}:
            bound -= {Component.HEADERS}  # those of the credentials alone
        # No target holds a line feed, so it tells where the path ends.
        self.splits_target = Component.TARGET not in bound and {"path", "query"} <= whole and "\n" in joiner
        self.covers = (bound | {Component.TARGET} if self.splits_target else bound) - traded(self.parts, joiner)
        digests = tuple(dict.fromkeys(part.digest for part in (*self._flat, *self.parts) if part.digest))
        raw = any(part.raw for part in self.parts)
        self.body_need = BodyNeed(digests, raw)
        places = tuple(enumerate(self.parts))
        self._constant = tuple([part.constant or "" for part in self.parts])
        self._of_request = tuple([(place, attrgetter(part.of_request)) for place, part in places if part.of_request])
        self._of_values = tuple([(place, attrgetter(part.of_values)) for place, part in places if part.of_values])
        self._early = tuple([(place, part.early) for place, part in places if part.early])
        self._late = tuple([(place, part.late) for place, part in enumerate(self.parts) if part.late])
        # A signature that binds nothing of the request lets whoever has it in.
        self.needs_https = self.covers <= {Component.DATE} if allow_http is None else not allow_http
        written = {name for template in carriers.written for name in template.names}
        self.writes_little = written <= {"key_id", "signature"}
        """Whether what is written with the signature is no more than the key id."""
        self.signs_its_carriers = bool(carriers.header_names.intersection(self.headers))
        self.signs_its_fields = bool(carriers.fields) and any(
            (part.query_without is not None and carriers.place != "form")
            or (part.form_without is not None and carriers.place != "query")
            for part in self.parts
        )
        drafted = {name for header in carriers.drafts for name in header.template.names}
        self.drafts_little = drafted <= {"key_id", "time"} and not self.signs_its_fields
        """Whether what is drafted is no more than key id and time."""
        self.signs_time_alone = not self.time_is_sent and all(
            part.is_whole and (Component.DATE in part.binds or part.name in ("key id", "secret", "literal"))
            for part in self.parts
        )
        self.signs_time_as_other = self.time_is_sent and any(
            Component.DATE in part.binds and not part.of_values for part in self.parts
        )
        self.needs_nonce = "nonce" in carriers.sent - carriers.left_out_without and nonce != "optional"
        self.nonce_is_number = self.needs_nonce and nonce == "number"
        extras = {name[len("extra.") :] for name in carriers.sent if name.startswith("extra.")}
        self.extras = tuple(sorted(extras - self.optional_extras))
        self.sends_more = "nonce" in carriers.sent or bool(extras)
        self.computes = bool(carriers.digests) or "headers" in carriers.sent
        """Whether the carriers say something of the request itself."""

    # The string to sign

    def texts(self, request: Request, values: Values) -> list[str | None]:
        """The texts of the parts, "" for those that are late. Raises CannotSign."""
        texts: list[str | None] = list(self._constant)
        for place, of_request in self._of_request:
            texts[place] = of_request(request)
        for place, of_values in self._of_values:
            texts[place] = of_values(values)
        for place, early in self._early:
            texts[place] = early(request, values)
        return texts

    def string(self, request: Request, values: Values, texts: Sequence[str | None], body: Body, second: int) -> bytes:
        """The string to sign: the texts, with what was late, joined. Raises CannotSign."""
        filled = list(texts)
        for place, late in self._late:
            filled[place] = late(request, values, body, second)
        if None in filled:
            filled = [text for text in filled if text is not None]
        return self.joiner.join(filled).encode("latin-1")  # type: ignore[arg-type]

    def string_around_time(self, texts: Sequence[str | None]) -> tuple[bytes, bytes] | None:
        """What stands before and behind the second, where that alone is late; None where it is not so simple."""
        if len(self._late) != 1 or None in texts or self.body_need:
            return None
        place = self._late[0][0]
        if Component.DATE not in self.parts[place].binds:  # it waits for the body, to know whether there is one
            return None
        before = self.joiner.join([*texts[:place], ""])  # type: ignore[list-item]
        behind = self.joiner.join(["", *texts[place + 1 :]])  # type: ignore[list-item]
        return before.encode("latin-1"), behind.encode("latin-1")

    def shown(self, request: Request, values: Values, set_now: frozenset[str], *, received: bool) -> list[ShownPart]:
        """The string to sign part by part, each but the last with the joiner behind it. `set_now` are the headers that
        signing sets besides its carriers."""
        second = int(values.at // 1)
        texts = self.texts(request, values)
        found: list[tuple[Part, str]] = []
        for part, text in zip(self.parts, texts, strict=True):
            filled = part.late(request, values, request.body, second) if part.late else text
            if filled is not None:
                found.append((part, filled))
        shown: list[ShownPart] = []
        for place, (part, text) in enumerate(found):
            behind = self.joiner if place < len(found) - 1 else ""
            for name, source, line in self._lines(part, text, request, set_now, received=received):
                hidden = "<secret>" if line == SECRET else ""
                if part.name == "body":
                    hidden = f"<the body, {len(line)} bytes>"
                elif part.extra:  # a passphrase, as like as not
                    hidden = f"<{part.extra}>"
                shown.append(ShownPart(name, source, line.encode("latin-1"), hidden))
            shown[-1] = shown[-1]._replace(value=shown[-1].value + behind.encode("latin-1"))
        return shown

    def _lines(
        self, part: Part, text: str, request: Request, set_now: frozenset[str], *, received: bool
    ) -> Iterator[tuple[str, str, str]]:
        """Name, source and text of a part, or of each line where it is made of several headers."""
        name, source = part.name, part.source
        if part.name == "custom headers" and text:
            lines = text.split("\n")
            for place, line in enumerate(lines):
                end = "\n" if place < len(lines) - 1 else ""
                yield "custom header", f"header {line.partition(':')[0]}", line + end
            return
        if part.of_values == "time":
            name = self.time_name
            source = f"{self.carriers.carrier_of('time')}, {'as it was sent' if received else 'from the clock'}"
        elif part.of_values == "key_id":
            source = self.carriers.carrier_of("key_id")
        elif part.describe:
            source = part.describe(request)
        elif part.digest and not part.holds:
            source += f", {body_length(request.body)} bytes"
        elif part.headers == ("content-type",) and "content-type" in set_now:
            source = source.replace("header Content-Type", "the default")
        yield name, source, text

    # What carriers say of the request itself

    def compute(self, request: Request, sent: dict[str, str]) -> None:
        """Put the digests and the list of headers into `sent`."""
        for name in self.carriers.digests:
            empty = name in self.carriers.left_out_without and not body_length(request.body)
            sent[name] = "" if empty else written_digest(name, request.body)
        sent["headers"] = ""
        if self._lists is not None:
            sent["headers"] = self._lists(names_there(request, self.headers, self.carriers.names_drafted(sent)))

    def problem_of_computed(self, request: Request, found: Mapping[str, str]) -> str | None:
        """What is wrong with the list of headers that was sent. Raises CannotSign."""
        if self._lists is None or found["headers"] == self._lists(names_there(request, self.headers, ())):
            return None
        return "the signed headers that it names are not those of the scheme which the request has"

    def _compared_digests(self) -> tuple[Part, ...]:
        found: list[Part] = []
        for name in self.carriers.digests:
            where = self.carriers.carrier_of(name)
            digest_named(name, where)
            if self.carriers.fields and self.carriers.place != "query":
                raise ConfigError(f"{where} is a digest of the body, and fields go into it: send them in the query")
            signed = [self._signs_carrier(part, name) for part in self.parts]
            if not any(signs for signs, _ in signed):
                raise ConfigError(
                    f"{where} is a digest of the body and is not signed, so anyone could change both: put it among the "
                    "parts"
                )
            found.append(compared_digest(name, where, self.carriers.digest_sent, binds=any(b for _, b in signed)))
        return tuple(found)

    def _list_of_headers(self) -> Callable[[Collection[str]], str] | None:
        if "headers" not in self.carriers.sent:
            return None
        lists = [part.names_in for part in self.parts if part.names_in]
        if len(lists) != 1:
            raise ConfigError("{headers} lists the headers of one part: put { part = 'headers', names = [...] } there")
        return lists[0]

    def _may_be_absent(self, part: Part) -> Part:
        """The part, left out where a carrier is left out that has its value."""
        if part.extra in self.optional_extras:
            return part._replace(may_be_absent=True)
        if part.of_values == "nonce" and "nonce" in self.carriers.left_out_without:
            return part._replace(early=lambda _, values: values.nonce or None, of_values="", may_be_absent=True)
        return part

    def _signs_carrier(self, part: Part, placeholder: str) -> tuple[bool, bool]:
        """Whether the part signs what carries the value, always, and whether it binds it: so that nothing that stands
        elsewhere in the part reads like it."""
        if part.may_be_absent:
            return False, False
        for header in self.carriers.headers:
            if placeholder in header.template.names:
                signs = header.folded in part.headers
                return signs, signs and (part.name != "custom headers" or Component.HEADERS in part.binds)
        for name, template in self.carriers.fields:
            if placeholder in template.names:
                taken = {"query": part.query_without, "form": part.form_without}
                wanted = (taken[self.carriers.place],) if self.carriers.place in taken else tuple(taken.values())
                signs = all(without is not None and name not in without for without in wanted)
                return signs, signs and part.delimits
        return False, False

    def times(self, seconds: Sequence[int]) -> Iterator[bytes]:
        """The text of each second, where `string_around_time` says what stands around it."""
        late = self._late[0][1]
        if late is unix_second:  # by far the most of them are computed for nothing
            return (b"%d" % second for second in seconds)
        return (late(_NO_REQUEST, _NO_VALUES, b"", second).encode() for second in seconds)  # type: ignore[union-attr]

    def _with_time_of_carrier(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """The parts; one that binds what carries the time binds the time too."""
        self._signs_time_carrier = False
        changed: list[Part] = []
        for part in parts:
            signs, binds = self._signs_carrier(part, "time")
            self._signs_time_carrier |= signs
            changed.append(part._replace(binds=part.binds | {Component.DATE}) if binds else part)
        if len(self.carriers.fields) > 0 and self.carriers.place == "query-or-form":
            self._signs_time_carrier |= self._signs_either_field("time")
        return tuple(changed)

    def _signs_either_field(self, placeholder: str) -> bool:
        """Whether one part signs it in the query, and another one in the form."""
        names = [name for name, template in self.carriers.fields if placeholder in template.names]
        whole = [part for part in self.parts if not part.may_be_absent]
        return any(
            any(part.query_without is not None and name not in part.query_without for part in whole)
            and any(part.form_without is not None and name not in part.form_without for part in whole)
            for name in names
        )

    # What can be wrong with a recipe

    def _check_sent(self, mac: str) -> None:
        named = {part.name for part in self._flat}
        sent = self.carriers.sent
        for part in self._flat:
            if part.extra and f"extra.{part.extra}" not in sent:
                raise ConfigError(
                    f"parts holds extra:{part.extra}, which nothing sends: put {{extra.{part.extra}}} in a carrier"
                )
        if "nonce" in named and "nonce" not in sent:
            raise ConfigError("parts holds the nonce, which nothing sends: put {nonce} into headers, query or form")
        if "key id" in named and "key_id" not in sent:
            raise ConfigError("parts holds the key id, which nothing sends: put {key_id} into headers, query or form")
        if mac.startswith("hash-") and "secret" not in named:
            raise ConfigError(
                f"mac {mac!r} takes no key, so anyone could sign: put the secret among the parts, or use hmac-"
            )
        if any("\0" in part.separators for part in self.parts):
            raise ConfigError("a NUL stands for the secret in a string to sign: separate by something else")
        if mac.startswith("hash-") and self.carriers.sent_as_mac:
            raise ConfigError(f"mac {mac!r} takes no key, so {{mac:extra.…}} is no MAC: use hmac-")
        if named <= {"secret", "literal", "key id"}:
            raise ConfigError("parts binds nothing: one signature would serve for ever; sign the time or the request")

    def _check_carriers(self) -> None:
        """The signature cannot be in what it signs."""
        carriers = self.carriers
        if carriers.signature_header in self.headers:
            raise ConfigError(
                f"parts holds the header {carriers.signature_header}, which holds the signature: leave it out"
            )
        field = carriers.signature_field
        for place, part in enumerate(self.parts):
            if not field:
                break
            for what, without, elsewhere in (
                ("query", part.query_without, "form"),
                ("form", part.form_without, "query"),
            ):
                if without is not None and field not in without and carriers.place != elsewhere:
                    raise ConfigError(
                        f"parts[{place}] signs the {what}, and the signature goes into it: write "
                        f'{{ part = "params", of = "{what}", without = ["{field}"] }}, or send it elsewhere'
                    )

    def _check_time(self) -> None:
        signed = self._signs_time_carrier or any(Component.DATE in part.binds for part in self._flat)
        if self.time_is_sent and self.window is not None and not signed:
            raise ConfigError(
                "the time is sent and not signed, so anyone could renew it: put it among the parts, or window = false"
            )
        if signed and not self.time_is_sent and self.window is None:
            raise ConfigError(
                "the time is signed, and neither sent nor searched: put {time} into a carrier, or give a window"
            )
        if self.window is None:
            return
        if not signed:
            raise ConfigError("window is given and no time is signed: put the time among the parts, or window = false")
        if not self.time_is_sent and self.window.past + self.window.future > _LONGEST_SEARCH:
            raise ConfigError(
                f"window is over {_LONGEST_SEARCH} seconds, and each of them is searched: make it smaller"
            )

    def _secrets_around_body(self) -> tuple[int, int]:
        names = [(part.name, part.raw) for part in self.parts]
        raw = [place for place, (_, is_raw) in enumerate(names) if is_raw]
        if len(raw) > 1:
            raise ConfigError("parts holds the body twice: name it once")
        first = raw[0] if raw else len(names)
        secrets = [place for place, (name, _) in enumerate(names) if name == "secret"]
        return sum(place < first for place in secrets), sum(place > first for place in secrets)

    def _samples(self) -> Mapping[str, str]:
        extras = {name: "value" for name in self.carriers.sent if name.startswith("extra.")}
        time, signature = self.time.write(_SAMPLE_TIME), self.mac.signature(b"secret", b"string")
        digests = {name: written_digest(name, b"") for name in self.carriers.digests}
        sample = {"key_id": "key", "time": time, "signature": signature, "nonce": "nonce", "headers": "date"}
        return {**sample, **extras, **digests}


def signature_pattern(mac: str, encoding: str, *, any_case: bool = False) -> str:
    """The regular expression of a signature, for templates; empty where mac or encoding are wrong."""
    algorithm = mac.partition("-")[2]
    if algorithm not in ALGORITHMS or encoding not in ENCODINGS:
        return ""
    return encoded_pattern("hex" if any_case else encoding, algorithm).replace("a-f", "A-Fa-f" if any_case else "a-f")


def wire_text(text: str, what: str, control: re.Pattern[str] = CONTROL) -> str:
    """Text of the credential's as the wire's bytes. Raises CannotSign where it is empty, is no text, or holds one of
    the control characters."""
    if not text or (not text.isprintable() and control.search(text)):
        raise CannotSign(f"the {what} is empty or holds a control character")
    if text.isascii():
        return text
    try:
        return text.encode().decode("latin-1")
    except UnicodeEncodeError:
        raise CannotSign(f"the {what} holds a lone surrogate, which is not text") from None
