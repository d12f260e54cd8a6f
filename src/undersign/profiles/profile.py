"""A profile: a scheme with its options, who signs, where the secret is kept, and where the credential may go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..core.credentials import Credential, Secret
from ..core.text import printable
from ..errors import ConfigError
from ..registry import build_scheme, parse_option
from ..scheme import Scheme, unusable_secret
from ..schemes.documents import load_recipe
from .document import place_of
from .sources import FromFile, FromProfile, Source

Auth = TypeVar("Auth")


@dataclass(frozen=True)
class SchemeChoice:
    """Which scheme it is: the name of an installed one, or the file of a recipe; with options, by name, as TOML has
    them or as text."""

    name: str
    recipe: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def build(self, changed: Mapping[str, Any] | None = None) -> Scheme:
        """The scheme; `changed` are options in the place of those here. Raises ConfigError."""
        options = {**self.options, **(changed or {})}
        if self.recipe is not None:
            return load_recipe(self.recipe, {name: _as_text(name, value) for name, value in options.items()})
        parsed = {
            name: parse_option(self.name, name, value) if isinstance(value, str) else value
            for name, value in options.items()
        }
        return build_scheme(self.name, parsed)


@dataclass(frozen=True)
class Profile:
    """What one name in the file of profiles stands for. It holds no secret, only the place of one.

    `key_id` is the scheme's name where the scheme sends none. `origins` are where the credential may go, in their one
    form; with none named that is the origin of each call. `secret_source` is None where the profile names no place.
    `extra_sources` are the places of what else the credential has, by name.
    """

    name: str
    file: Path
    scheme: Scheme
    key_id: str
    origins: tuple[str, ...]
    choice: SchemeChoice
    secret_source: Source | None
    extra_sources: Mapping[str, Source] = field(default_factory=dict, hash=False)

    def secret(self) -> Secret:
        """The secret, from its place, each time anew. Raises ConfigError where it is not there, or not in the form
        that the scheme asks for."""
        if self.secret_source is None:
            raise self._problem("it names no place of a secret: add secret-env, secret-file or secret-command")
        found = self.secret_source.read()
        if isinstance(found, ConfigError):
            raise self._problem(str(found))
        if problem := unusable_secret(self.scheme, found):
            raise self._problem(str(problem))
        return found

    def extra(self) -> dict[str, str]:
        """What else the credential has, by name, from its places. Raises ConfigError as `secret` does, and where one
        that the scheme sends is missing."""
        for name in self.scheme.extras:
            if name not in self.extra_sources:
                raise self._problem(f"{self.scheme.name} sends {name!r} too: add extras.{name}")
        return self.extra_given()

    def extra_given(self) -> dict[str, str]:
        """The same, as far as the profile names them."""
        found = {name: source.read() for name, source in self.extra_sources.items()}
        secrets: dict[str, Secret] = {}
        for name, secret in found.items():
            if isinstance(secret, ConfigError):
                raise self._problem(str(secret))
            if not _is_text(secret):
                raise self._problem(f"extras.{name} is not text in UTF-8")
            secrets[name] = secret
        return {name: secret.reveal().decode() for name, secret in secrets.items()}

    def credential(self) -> Credential:
        """Key id, secret, extras and origins, for a Signer. Raises ConfigError as `secret` and `extra` do."""
        return Credential(self.key_id, self.secret(), self.origins, extra=self.extra())

    def auth(self, made_by: Callable[..., Auth], **options: Any) -> Auth:
        """What signs for this profile: `made_by` is the SignatureAuth of a client, or takes the same arguments, and
        `options` are what it takes besides. Raises ConfigError as `secret` and `extra` do.

        Example::

            auth = load_profile("demo").auth(SignatureAuth, adjust_clock=True)
        """
        # Each is read here, so that no frame holds a plain secret.
        return made_by(self.scheme, self.key_id, self.secret(), origins=self.origins, extra=self.extra(), **options)

    @property
    def risks(self) -> tuple[str, ...]:
        """What the profile makes less safe than it could be, a sentence each."""
        found: list[str] = []
        if isinstance(self.secret_source, FromProfile):
            found.append(
                f"{self.file}: {self._place} secret: the secret itself stands in the file, and goes wherever "
                "the file is copied: keep it in the keyring, a variable or a file of its own"
            )
        sources = (self.secret_source, *self.extra_sources.values())
        found += [source.risk for source in sources if isinstance(source, FromFile) and source.risk]
        return tuple(found)

    @property
    def _place(self) -> str:
        return printable(place_of(("profiles", self.name)))

    def _problem(self, sentence: str) -> ConfigError:
        return ConfigError(f"{self.file}: {self._place} {sentence}")


def _is_text(secret: Secret) -> bool:
    try:
        secret.reveal().decode()
    except UnicodeDecodeError:
        return False
    return True


def _as_text(name: str, value: Any) -> str:
    """A field of a recipe as `load_recipe` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and set(value) == {"past", "future"}:
        return f"{value['past']},{value['future']}"
    raise ConfigError(f"{name} is text, true, false or a window: change anything else in the recipe")
