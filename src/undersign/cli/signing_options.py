"""What `call` and `sign` are told: the request, and who signs it with what."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from ..core.credentials import Credential
from ..core.message import Request
from ..errors import ConfigError
from ..profiles import Profile
from ..scheme import Scheme
from .choosing import Extras, extra_options, key_id_of, scheme_options
from .files import FileName
from .items import items_of, with_query
from .options import Command, clock_option, head_of_arguments, secret_of, secret_options

_Result = TypeVar("_Result")


class Signing(NamedTuple):
    """Who signs, with which scheme. An option of its own goes before what the profile says."""

    scheme: Scheme
    profile: Profile | None
    given_key_id: str | None
    extras: Extras
    secret_env: str | None
    secret_file: Path | None

    def key_id(self) -> str:
        """Who signs. Raises click.UsageError where nobody is named."""
        if self.given_key_id is None and self.profile is not None:
            return self.profile.key_id
        return key_id_of(self.scheme, self.given_key_id)

    def nonce(self) -> str:
        """The nonce, a new one unless it is given. Raises ConfigError."""
        return self.extras.nonce_for(self.scheme)

    def explained(self, key_id: str) -> Credential:
        """Who signs, for an explanation, which shows neither the secret nor what an extra holds: none is asked for.

        Raises ConfigError for an extra that the scheme does not send.
        """
        self.extras.check(self.scheme)
        return self.extras.shown(key_id, *(() if self.profile is None else self.profile.extra_sources))

    def credential(self, key_id: str) -> Credential:
        """Key id, secret and extras, for the profile's origins alone. It may ask for the secret on the terminal.

        Raises ConfigError where one of them is missing.
        """
        origins = () if self.profile is None else self.profile.origins
        kept = {} if self.profile is None else self.profile.extra_given()
        extra = Extras({**kept, **self.extras.values}, self.extras.nonce).of(self.scheme)
        return Credential(key_id, secret_of(self.profile, self.secret_env, self.secret_file), origins, extra=extra)


class Asked(NamedTuple):
    """The request that is asked for. `body` is that of items; where it is None it comes from `data`, or standard
    input."""

    method: str
    url: str | None
    headers: tuple[str, ...]
    data: Path | None
    body: bytes | None = None
    origin: str | None = None

    def head(self, profile: Profile | None) -> Request:
        """See `head_of_arguments`."""
        return head_of_arguments(self.method, self.url, self.headers, profile, self.origin)


def _with_items(asked: Asked, given: Sequence[str], *, is_wanted: bool, is_form: bool) -> Asked:
    """The request with what the items put on it. With none of the data the body is empty: nothing else is read."""
    if not is_wanted:
        raise click.UsageError(
            f"{len(given)} argument(s) too many; {Command.instead}; items such as name=value need --items"
        )
    if asked.url is None:
        raise click.UsageError("Missing argument 'URL'.")
    items = items_of(given, is_form=is_form)
    if items.body is not None and asked.data is not None:
        raise ConfigError("--data and items exclude each other: both are the body")
    headers = (*asked.headers, *items.headers)
    if items.body is not None and not any(line.lower().startswith("content-type:") for line in headers):
        headers = (*headers, f"Content-Type: {items.content_type}")
    body = (items.body or b"") if asked.data is None else None
    return asked._replace(url=with_query(asked.url, items.query), headers=headers, body=body)


def request_options(*, or_file: bool = False) -> Callable[[Callable[..., _Result]], Callable[..., _Result]]:
    """What `sign` and `call` share: scheme, key and extras, handed over as the function's first argument, a Signing;
    METHOD, URL, `--origin`, `-H`, `--data` and items as its second, an Asked; and the clock.

    With `or_file` the command has to see to it that METHOD and URL are there, or one FILE.
    """

    def decorate(function: Callable[..., _Result]) -> Callable[..., _Result]:
        @functools.wraps(function)
        def command(
            scheme: Scheme,
            profile: Profile | None,
            key_id: str | None,
            extras: Extras,
            secret_env: str | None,
            secret_file: Path | None,
            method: str,
            url: str | None,
            items: Sequence[str],
            with_items: bool,
            is_form: bool,
            headers: Sequence[str],
            data: Path | None,
            origin: str | None,
            **others: Any,
        ) -> _Result:
            signing = Signing(scheme, profile, key_id, extras, secret_env, secret_file)
            asked = Asked(method, url, tuple(headers), data, origin=origin)
            if items or with_items or is_form:
                asked = _with_items(asked, items, is_wanted=with_items or is_form, is_form=is_form)
            return function(signing, asked, **others)

        decorated: Callable[..., _Result] = command
        for decorator in (
            clock_option,
            secret_options,
            extra_options,
            click.option("--key-id", metavar="ID", help="Who signs."),
            scheme_options(several=False),
            click.option("--form", "is_form", is_flag=True, help="The same as --items, with a form as the body."),
            click.option(
                "--items",
                "with_items",
                is_flag=True,
                help="What follows the URL are items, as HTTPie has them: name=value and name:=JSON make a JSON object "
                "the body, name==VALUE a parameter of the URL, Name:value a header.",
            ),
            click.option(
                "--data",
                metavar="FILE",
                type=FileName(allow_dash=True),
                help="The file whose content is the body, - being standard input.",
            ),
            click.option("--origin", metavar="ORIGIN", help="Where a URL stands that is a path alone: https://host."),
            click.option("-H", "--header", "headers", metavar="'NAME: VALUE'", multiple=True, help="A header to send."),
            click.argument("items", nargs=-1, metavar="[ITEM]..."),
            click.argument(
                "url", required=False, metavar="[URL]" if or_file else "URL"
            ),  # `head_of_arguments` says more of one that is missing
            click.argument("method"),
        ):
            decorated = decorator(decorated)
        return decorated

    return decorate
