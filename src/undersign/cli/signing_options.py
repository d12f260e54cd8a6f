"""What `call` and `sign` are told: the request, and who signs it with what."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from ..core.credentials import Credential
from ..profiles import Profile
from ..scheme import Scheme
from .choosing import Extras, extra_options, key_id_of, scheme_options
from .options import clock_option, secret_of, secret_options

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

    def credential(self, key_id: str) -> Credential:
        """Key id, secret and extras, for the profile's origins alone. It may ask for the secret on the terminal.

        Raises ConfigError where one of them is missing.
        """
        origins = () if self.profile is None else self.profile.origins
        kept = {} if self.profile is None else self.profile.extra_given()
        extra = Extras({**kept, **self.extras.values}, self.extras.nonce).of(self.scheme)
        return Credential(key_id, secret_of(self.profile, self.secret_env, self.secret_file), origins, extra=extra)


def request_options(*, or_file: bool = False) -> Callable[[Callable[..., _Result]], Callable[..., _Result]]:
    """What `sign` and `call` share: METHOD, URL, `-H`, `--data` and the clock; scheme, key and extras are handed over
    as the function's first argument, a Signing.

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
            **others: Any,
        ) -> _Result:
            return function(Signing(scheme, profile, key_id, extras, secret_env, secret_file), **others)

        decorated: Callable[..., _Result] = command
        for decorator in (
            clock_option,
            secret_options,
            extra_options,
            click.option("--key-id", metavar="ID", help="Who signs."),
            scheme_options(several=False),
            click.option(
                "--data",
                metavar="FILE",
                type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
                help="The file whose content is the body, - being standard input.",
            ),
            click.option("-H", "--header", "headers", metavar="'NAME: VALUE'", multiple=True, help="A header to send."),
            click.argument(
                "url", required=False, metavar="[URL]" if or_file else "URL"
            ),  # `head_of_arguments` says more of one that is missing
            click.argument("method"),
        ):
            decorated = decorator(decorated)
        return decorated

    return decorate
