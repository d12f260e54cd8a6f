"""`undersign sign`: what to set on a request so that it is signed."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..credentials import Credential
from ..engine import sign as sign_request
from ..http import Patch, Request
from ..scheme import Claim, Scheme
from ..schemes import KeyedTimestamp
from .body import read_body
from .curl import curl_command
from .options import Command, build_schemes, clock_at, parse_headers, read_secret, request_options
from .text import printable


@click.command(
    cls=Command,
    epilog="\b\nExample: undersign sign GET https://demo.gotom.io/app-api/x --key-id me --as curl",
    short_help="Print what signs a request.",
)
@request_options
@click.option(
    "--as",
    "form",
    type=click.Choice(["headers", "curl", "json"]),
    default="headers",
    show_default=True,
    help="What to print.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --as json.")
@click.option("--explain", is_flag=True, help="Print the string to sign too, line by line, before anything else.")
def sign(
    method: str,
    url: str,
    headers: Sequence[str],
    data: Path | None,
    scheme: str,
    options: Sequence[str],
    key_id: str,
    secret_env: str | None,
    secret_file: Path | None,
    at: float | None,
    form: str,
    as_json: bool,
    explain: bool,
) -> None:
    """Print what signs a request: headers, the URL or the form, or a curl command. Nothing is sent.

    The body is --data, or standard input where that is no terminal.
    """
    [how] = build_schemes([scheme], options)
    clock = clock_at(at)
    head = Request.from_url(method.upper(), url, parse_headers(headers))
    credential = Credential(key_id, read_secret(secret_env, secret_file))
    with read_body(data, how.body_need(head)) as body:
        request = Request(head.method, head.target, head.headers, body.signed, head.origin)
    now = clock()  # once the body is there: it may take its time
    patch = sign_request(how, request, credential, now=now)
    signed = patch.apply(request)
    canonical = _canonical(how, request, Claim(key_id, now))
    if as_json or form == "json":
        click.echo(json.dumps(_as_json(patch, signed, canonical)))
        return
    if explain:
        click.echo("String to sign:")
        if isinstance(how, KeyedTimestamp):
            canonical = canonical.replace(b"\0", b"<secret>")
        for line in canonical.decode("utf-8", "surrogateescape").split("\n"):
            click.echo(printable(line))
        click.echo()
    if form == "headers":
        for line in _lines(patch, signed):
            click.echo(os.fsencode(line))
        return
    # A pipe or a descriptor will not be there any more when the command runs.
    file = data if data is not None and data.is_file() and not patch.form else None
    command = curl_command(signed, how, file)
    click.echo(os.fsencode(command.text))
    if command.reads_standard_input:
        click.echo("undersign: the body is too large to stand in the command: pipe it into it", err=True)


def _canonical(scheme: Scheme, request: Request, claim: Claim) -> bytes:
    return scheme.canonical(scheme.prepare(request, claim).apply(request), claim)


def _as_json(patch: Patch, signed: Request, canonical: bytes) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "url": signed.origin + signed.target,
        "headers": patch.headers,
        "query": patch.query,
        "form": patch.form,
    }
    try:
        shown["string_to_sign"] = canonical.decode()
    except UnicodeDecodeError:
        shown["string_to_sign_b64"] = base64.b64encode(canonical).decode("ascii")
    return shown


def _lines(patch: Patch, signed: Request) -> list[str]:
    """Headers as they go on the wire; the URL, where the query changed; the form's new fields."""
    lines = [f"{name}: {value.encode('latin-1').decode('utf-8', 'surrogateescape')}" for name, value in patch.headers]
    if patch.query:
        lines.append(signed.origin + signed.target)
    if patch.form:
        # Encoded as a query is.
        lines.append(Patch(query=patch.form).url("").removeprefix("?"))
    return lines
