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
from ..explain import explain
from ..http import Patch, Request
from ..scheme import Claim, Scheme
from .body import read_body
from .curl import curl_command
from .explain import explain_file
from .options import Command, build_schemes, clock_at, parse_headers, read_secret, request_options
from .output import say


@click.command(
    cls=Command,
    epilog="\b\nExample: undersign sign GET https://demo.gotom.io/app-api/x --key-id me --as curl",
    short_help="Print what signs a request.",
)
@request_options(or_file=True)
@click.option(
    "--as",
    "form",
    type=click.Choice(["headers", "curl", "json"]),
    help="What to print.  [default: headers]",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --as json.")
@click.option(
    "--explain",
    "explaining",
    is_flag=True,
    help="Print what is signed, part by part, for a ticket: without the body, a secret or a signature. "
    "What signs follows where --as asks for it.",
)
def sign(
    method: str,
    url: str | None,
    headers: Sequence[str],
    data: Path | None,
    scheme: str,
    options: Sequence[str],
    key_id: str | None,
    secret_env: str | None,
    secret_file: Path | None,
    at: float | None,
    form: str | None,
    as_json: bool,
    explaining: bool,
) -> None:
    """Print what signs a request: headers, the URL or the form, or a curl command. Nothing is sent.

    The body is --data, or standard input where that is no terminal. With --explain alone no secret is asked for, and
    one FILE may stand for METHOD and URL: a request in it, as `undersign explain` takes it.
    """
    only_explained = explaining and form is None and not as_json
    [how] = build_schemes([scheme], options)
    clock = clock_at(at)
    if url is None and explaining:
        if headers or data is not None or not only_explained:
            raise click.UsageError("--explain FILE takes neither -H, --data nor --as: the request is in the file")
        explain_file(method, [how], key_id, at)
        return
    if url is None:
        raise click.UsageError("Missing argument 'URL'.")
    if key_id is None:
        raise click.UsageError("Missing option '--key-id'.")
    head = Request.from_url(method.upper(), url, parse_headers(headers))
    credential = None if only_explained else Credential(key_id, read_secret(secret_env, secret_file))
    with read_body(data, how.body_need(head)) as body:
        request = Request(head.method, head.target, head.headers, body.signed, head.origin)
    now = clock()  # once the body is there: it may take its time
    explanation = explain(how, request, key_id, now=now) if explaining else None
    if credential is None:
        click.echo(str(explanation))
        return
    patch = sign_request(how, request, credential, now=now)
    signed = patch.apply(request)
    if as_json or form == "json":
        shown = _as_json(patch, signed, _canonical(how, request, Claim(key_id, now)))
        click.echo(json.dumps(shown if explanation is None else {**shown, "explanation": explanation.as_json()}))
        return
    if explanation is not None:
        click.echo(f"{explanation}\n")
    if form != "curl":
        for line in _lines(patch, signed):
            click.echo(os.fsencode(line))
        return
    # A pipe or a descriptor will not be there any more when the command runs.
    file = data if data is not None and data.is_file() and not patch.form else None
    command = curl_command(signed, how, file)
    click.echo(os.fsencode(command.text))
    if command.reads_standard_input:
        say("undersign: the body is too large to stand in the command: pipe it into it")


def _canonical(scheme: Scheme, request: Request, claim: Claim) -> bytes:
    return scheme.draft(request, claim)[1]


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
