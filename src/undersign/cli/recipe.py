"""`undersign recipe`: a scheme that is written as a recipe, checked, shown and tried."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..core.credentials import Credential
from ..core.dates import Window
from ..core.fields import FORM
from ..core.message import Request
from ..core.text import printable
from ..diagnosing.published import Change, changes_that_give
from ..diagnosing.sample import seconds_of, told
from ..errors import ConfigError
from ..explaining import Explanation, explain
from ..recipe import Recipe
from ..scheme import Claim
from ..schemes.documents import load_recipe, recipe_in_toml
from ..signing import sign as sign_request
from ..verifying.verifier import Verifier
from .body import read_body
from .choosing import Extras, extra_options, key_id_of
from .drawing import IN_WORDS, bound_in_words
from .files import FileName
from .groups import Group
from .options import Command, clock_at, clock_option, head_of_arguments, read_secret, secret_options
from .output import say
from .sign import as_json_of, lines_of
from .width import fitted, fitted_prose

_SAMPLE_TIME = 1_730_974_875.0
_file = click.argument("file", type=FileName())
_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


class _FileCommand(Command):
    instead = "a recipe is in one file"


@click.group(cls=Group)
def recipe() -> None:
    """Recipes: schemes as data, in TOML or JSON, for whatever takes --recipe."""


@recipe.command(cls=_FileCommand)
@_file
@_json
def check(file: Path, as_json: bool) -> int:
    """Say whether the recipe in FILE can work, and what it binds: exit 0, or 2 and what is wrong with it."""
    try:
        found = load_recipe(file)
    except ConfigError as error:
        if not as_json:
            raise
        click.echo(json.dumps({"result": "wrong", "error": str(error)}))
        return 2
    if as_json:
        click.echo(json.dumps(_as_json(found)))
        return 0
    click.echo(f"ok: {printable(found.name)}")
    for line in _findings(found):
        click.echo(fitted(printable(line)))
    return 0


@recipe.command(cls=_FileCommand)
@_file
@clock_option
@_json
def show(file: Path, at: float | None, as_json: bool) -> None:
    """Print what the recipe in FILE signs of a request that is made up, part by part, and where credentials travel.

    Then the recipe itself, as --recipe takes it: in TOML, without what is said by default. With --json all is JSON.
    """
    found = load_recipe(file)
    request = _sample(found)
    key_id = "KEY_ID" if found.key_id_carrier else found.name
    explanation = explain(found, request, key_id, now=clock_at(_SAMPLE_TIME if at is None else at)())
    if as_json:
        shown = {"request": _request_as_json(request), "explanation": explanation.as_json()}
        click.echo(json.dumps({"recipe": found.as_mapping(), **shown}))
        return
    click.echo(f"{request.method} {request.origin}{request.target}\n")
    click.echo(fitted_prose(str(explanation)))
    click.echo("\nRecipe:")
    click.echo(recipe_in_toml(found), nl=False)


@recipe.command("try", cls=Command)
@_file
@click.argument("method")
@click.argument("url")
@click.option("-H", "--header", "headers", metavar="'NAME: VALUE'", multiple=True, help="A header to send.")
@click.option(
    "--data",
    metavar="FILE",
    type=FileName(allow_dash=True),
    help="The file whose content is the body, - being standard input.",
)
@click.option("--key-id", metavar="ID", help="Who signs.")
@click.option(
    "--published",
    metavar="TEXT",
    help="The signature of this request that the API's page prints, alone or in its header or URL: say whether the "
    "recipe gives it, and if not, which change of the recipe would.",
)
@extra_options
@secret_options
@clock_option
@_json
def try_(
    file: Path,
    method: str,
    url: str,
    headers: Sequence[str],
    data: Path | None,
    key_id: str | None,
    published: str | None,
    extras: Extras,
    secret_env: str | None,
    secret_file: Path | None,
    at: float | None,
    as_json: bool,
) -> int:
    """Sign a request with the recipe in FILE, and verify it: print what is signed, and what signs it. Nothing is sent.

    The secret is read as `undersign sign` does. With --published the time and the nonce are those of the example, where
    its headers or parameters tell them and --at and --nonce do not. Exits 0 where the request verifies, and with
    --published where the recipe gives what is published, else 1.
    """
    found = load_recipe(file)
    key_id = key_id_of(found, key_id)
    extra, nonce = extras.of(found), extras.nonce_for(found)
    head = head_of_arguments(method, url, headers)
    credential = Credential(key_id, read_secret(secret_env, secret_file), extra=extra)
    with read_body(data, found.body_need(head)) as body:
        request = Request(head.method, head.target, head.headers, body.signed, head.origin)
    if published is not None:
        now, nonce = _when_signed(found, request, published, at, extras.nonce)
        return _compare(changes_that_give(found, request, credential, now, nonce, published), as_json=as_json)
    now = clock_at(at)()
    patch = sign_request(found, request, credential, now=now, nonce=nonce)
    signed = patch.apply(request)
    verified = Verifier(found, {key_id: credential.secret}, clock=lambda: now).verify(signed)
    if as_json:
        _, string = found.draft(request, Claim(key_id, now, (), nonce, None, extra))
        result = {"result": "valid", "scheme": verified.scheme, "key_id": verified.key_id}
        click.echo(json.dumps({**as_json_of(patch, signed, string), "verified": result}))
        return 0
    click.echo(fitted_prose(_without_patch(explain(found, request, key_id, now=now, nonce=nonce))))
    click.echo("\nWhat signs it:")
    for line in lines_of(patch, signed):
        click.echo(b"  " + os.fsencode(line))
    click.echo(f"\nvalid: {printable(verified.scheme)}, signed by {printable(verified.key_id)}")
    return 0


def _when_signed(
    found: Recipe, request: Request, published: str, at: float | None, nonce: str | None
) -> tuple[float, str]:
    """The time and the nonce of the example: what is given, else what it tells. Raises ConfigError where it does not,
    since no signature of another moment could come out."""
    values = told(found, request, published)
    if nonce is None and found.program.needs_nonce:
        nonce = values.get("nonce")
        if nonce is None:
            raise ConfigError(_not_told(found, "nonce", "--nonce TEXT"))
    if at is None and found.window is not None:
        at = seconds_of(found, values.get("time", ""))
        if at is None:
            raise ConfigError(_not_told(found, "time", "--at TIME"))
        carrier = found.program.carriers.carrier_of("time").partition(",")[0]
        say(f"undersign: the time is that of the {carrier}: {values['time']}")
    return clock_at(at)(), nonce or ""


def _not_told(found: Recipe, name: str, option: str) -> str:
    kind, _, carrier = found.program.carriers.carrier_of(name).partition(",")[0].partition(" ")
    others = {"header": f", or with -H '{carrier}: …'", "parameter": f", or as the parameter {carrier} of the URL"}
    given = option + others.get(kind, "")
    return f"nothing here tells the {name} that the example was signed with: give it with {given}"


def _compare(found: Sequence[Change], *, as_json: bool) -> int:
    """Say what gives the published signature, and return the exit code."""
    given = any(not change.sentences for change in found)
    if as_json:
        result = "given" if given else "changed" if found else "unexplained"
        changes = [{"changes": change.sentences, "recipe": change.recipe.as_mapping()} for change in found]
        click.echo(json.dumps({"result": result, "with": [] if given else changes}))
        return 0 if given else 1
    if given:
        click.echo("published: the recipe gives it")
        return 0
    if not found:
        click.echo(
            fitted(
                "published: the recipe does not give it, and neither does any change that was tried. Look at secret, "
                "key id, time (--at) and body first: are they those of the example, byte for byte?"
            )
        )
        return 1
    click.echo(fitted("published: the recipe does not give it; it does with"))
    for change in found:
        click.echo(fitted(printable(f"  {' and '.join(change.sentences)}")))
    click.echo("\nRecipe, with the first of these:" if len(found) > 1 else "\nRecipe, so changed:")
    click.echo(recipe_in_toml(found[0].recipe), nl=False)
    return 1


def _without_patch(explanation: Explanation) -> str:
    return str(explanation).partition("\n\nPatch: ")[0]


def _findings(found: Recipe) -> list[str]:
    """What a recipe that can work does, a line each."""
    program = found.program
    lines = [
        *bound_in_words(found),
        f"time: {_time_in_words(found)}",
        f"key id: {found.key_id_carrier or f'not sent; it is {found.name!r} for every request'}",
        f"signature: {program.carriers.carrier_of('signature')}, {found.mac} in {found.encoding}"
        + ("; a list, of whose signatures any one fits" if found.several_signatures else ""),
    ]
    if program.needs_nonce:
        lines.append(f"nonce: {program.carriers.carrier_of('nonce')}")
    lines += [f"extra {name}: {program.carriers.carrier_of(f'extra.{name}')}" for name in program.extras]
    lines += [
        f"extra {name}, where there is one: {program.carriers.carrier_of(f'extra.{name}')}"
        for name in found.optional_extras
    ]
    if found.methods:
        lines.append(f"methods: {', '.join(found.methods)} alone")
    if program.needs_https:
        lines.append("https: needed, since whoever sees the signature can use it; allow_http = true lifts that")
    return lines


def _time_in_words(found: Recipe) -> str:
    window, program = found.window, found.program
    sent = f"sent ({program.carriers.carrier_of('time')})" if program.time_is_sent else ""
    if window is None:
        return f"{sent or 'none'}, and not looked at: a request is good for ever, so remember what has come"
    span = f"from {window.past} s in the past to {window.future} s in the future"
    return f"{sent}, good {span}" if sent else f"not sent; each second is searched, {span}"


def _as_json(found: Recipe) -> dict[str, Any]:
    program, window = found.program, found.window
    time = "sent" if program.time_is_sent else "none" if window is None else "searched"
    covers = found.could_cover()
    return {
        "result": "ok",
        "name": found.name,
        "covers": [component.value for component in IN_WORDS if component in covers],
        "time": time,
        "window": _window_as_json(window),
        "carriers": {name: program.carriers.carrier_of(name) for name in sorted(program.carriers.sent)},
        "needs_https": program.needs_https,
    }


def _window_as_json(window: Window | None) -> Any:
    return False if window is None else {"past": window.past, "future": window.future}


def _sample(found: Recipe) -> Request:
    """A request that has what the recipe signs of one."""
    carriers = found.program.carriers
    method = found.methods[0] if found.methods else "POST"
    content_type, body = "application/json", b'{"id": 7}'
    if carriers.fields and carriers.place == "form":
        content_type, body = FORM, b"id=7"
    own = carriers.header_names | {"content-type", "host", "content-length"}
    headers = [("Host", "api.example.com")]
    if method in ("GET", "HEAD"):
        body = b""
    if body or "content-type" in found.program.headers:
        headers.append(("Content-Type", content_type))
    if body:
        headers.append(("Content-Length", str(len(body))))
    headers += [(name, f"the {name}") for name in found.program.headers if name not in own]
    return Request.from_url(method, "https://api.example.com/orders?page=2", tuple(headers), body)


def _request_as_json(request: Request) -> dict[str, Any]:
    body = request.body.decode() if isinstance(request.body, bytes) else ""
    url = request.origin + request.target
    return {"method": request.method, "url": url, "headers": request.headers, "body": body}
