"""`undersign sign`: what to set on a request so that it is signed."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import click

from ..core.message import Patch, Request
from ..explaining import explain
from ..inputs.curl_command import curl_command
from ..scheme import Claim, Scheme
from ..signing import sign as sign_request
from .body import read_body
from .explain import explain_file
from .options import Command, clock_at
from .output import say
from .signing_options import Asked, Signing, request_options


@click.command(
    cls=Command,
    epilog="\b\nExample:\n  undersign sign GET https://demo.gotom.io/app-api/x --key-id me --as curl",
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
    signing: Signing,
    asked: Asked,
    at: float | None,
    form: str | None,
    as_json: bool,
    explaining: bool,
) -> None:
    """Print what signs a request: headers, the URL or the form, or a curl command. Nothing is sent.

    The body is --data, or standard input where that is no terminal. With --explain alone no secret is asked for, and
    one FILE may stand for METHOD and URL: a request in it, as `undersign explain` takes it.
    """
    scheme = signing.scheme
    only_explained = explaining and form is None and not as_json
    clock = clock_at(at)
    data = asked.data
    if asked.url is None and explaining:
        if asked.headers or data is not None or not only_explained:
            raise click.UsageError("--explain FILE takes neither -H, --data nor --as: the request is in the file")
        who = None if signing.given_key_id is None else signing.explained(signing.given_key_id)
        explain_file(asked.method, [scheme], who, at, asked.origin)
        return
    head = asked.head(signing.profile)
    key_id = signing.key_id()
    nonce = (signing.extras.nonce or "") if only_explained else signing.nonce()
    credential = None if only_explained else signing.credential(key_id)
    with read_body(asked.data, scheme.body_need(head), asked.body) as body:
        request = Request(head.method, head.target, head.headers, body.signed, head.origin)
    now = clock()  # once the body is there: it may take its time
    who = signing.explained(key_id)
    explanation = explain(scheme, request, who, now=now, nonce=nonce) if explaining else None
    if credential is None:
        click.echo(str(explanation))
        return
    patch = sign_request(scheme, request, credential, now=now, nonce=nonce)
    signed = patch.apply(request)
    if as_json or form == "json":
        shown = as_json_of(
            patch, signed, _canonical(scheme, request, Claim(key_id, now, (), nonce, None, credential.extra))
        )
        click.echo(json.dumps(shown if explanation is None else {**shown, "explanation": explanation.as_json()}))
        return
    if explanation is not None:
        click.echo(f"{explanation}\n")
    if form != "curl":
        for line in lines_of(patch, signed):
            click.echo(os.fsencode(line))
        return
    # A pipe or a descriptor will not be there any more when the command runs.
    file = data if data is not None and data.is_file() and not patch.form else None
    command = curl_command(signed, scheme, file)
    click.echo(os.fsencode(command.text))
    if command.reads_standard_input:
        say("undersign: the body is too large to stand in the command: pipe it into it")


def _canonical(scheme: Scheme, request: Request, claim: Claim) -> bytes:
    return scheme.draft(request, claim)[1]


def as_json_of(patch: Patch, signed: Request, canonical: bytes) -> dict[str, Any]:
    """A signed request as JSON has it, with what was signed."""
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


def lines_of(patch: Patch, signed: Request) -> list[str]:
    """Headers as they go on the wire; the URL, where the query changed; the form's new fields."""
    lines = [f"{name}: {value.encode('latin-1').decode('utf-8', 'surrogateescape')}" for name, value in patch.headers]
    if patch.query:
        lines.append(signed.origin + signed.target)
    if patch.form:
        # Encoded as a query is.
        lines.append(Patch(query=patch.form).url("").removeprefix("?"))
    return lines
