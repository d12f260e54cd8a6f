"""Flask: the WSGI middleware as an extension."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import flask

from ..verifying.verdict import Verified
from ..verifying.verifier import Verifier
from ._common import verified_in
from .wsgi import SignatureMiddleware

__all__ = ["Signature", "signed", "verified"]

View = TypeVar("View", bound=Callable[..., Any])


class Signature:
    """Puts SignatureMiddleware in front of a Flask app; `options` are those of `undersign.servers.wsgi`.

    It wraps `app.wsgi_app` and is no `before_request` function. By then an earlier one may have parsed the form, and
    the bytes that were signed are gone.
    """

    def __init__(self, verifier: Verifier, app: flask.Flask | None = None, **options: Any) -> None:
        self._verifier = verifier
        self._options = options
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask) -> None:
        """Raises ConfigError for an option that cannot work."""
        app.wsgi_app = SignatureMiddleware(app.wsgi_app, self._verifier, **self._options)  # type: ignore[method-assign]


def verified() -> Verified | None:
    """Who signed the current request; None on a public path.

    Raises ConfigError where no SignatureMiddleware is in front.
    """
    return verified_in(flask.request.environ)


def signed(view: View) -> View:
    """A decorator for views that need a signature also where their path is public: 401 without one.

    It stands below the route's own, nearer to the view, which may be a coroutine.
    """

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if verified() is None:
            flask.abort(401)
        return flask.current_app.ensure_sync(view)(*args, **kwargs)

    return checked  # type: ignore[return-value]
