"""The prepared request that `SignatureAuth` makes: on every hop it is settled before an adapter sees it.

requests makes each hop of a redirect out of a copy of the one before: it sets the copy's URL, method, headers and
body, reads `_body_position` last, and hands it to `Session.send`, which takes `hooks` and then calls an adapter. So a
copy is signed afresh, or stripped of the credential, by whoever reads it first once requests is done with it. What
`Session.send` takes is compared with what was signed, and signed afresh where that was changed, or sent before. From
there on an adapter may read and change what it likes.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from requests import PreparedRequest, Response

from ..bodies import is_seekable
from ..errors import CannotSign
from ._hop import Hops, HopSigner
from ._requests_checks import CheckResponse
from ._requests_signing import fit_body, normalise_url, origin_of_url, pairs_of, place_of, sign, strip

SIGNING = "_undersign"
"""Where a signed request keeps its Signing. Other libraries copy and update a request's `__dict__`."""

_T = TypeVar("_T")
_ORIGIN = re.compile(r"[^/?#]*//[^/?#]*")


class Signing(Hops):
    """Where a signed request stands: a call's hops, and what becomes of this one."""

    def __init__(self, signer: HopSigner, *, home: str = "", watches: bool = False) -> None:
        super().__init__(signer, home)
        self.watches = watches
        """Whether a change is to be signed as soon as anyone reads the request, and not only when it is sent."""
        self.url = ""
        """The URL as it was settled. Adapters may set the request's own, to an address say."""
        self.signed_again = False
        self.is_busy = False
        """While our own code reads and writes the request."""
        self.is_redirecting = False
        self._is_due = False
        self._is_signed = False
        self._is_sent = False
        self._follows = False
        self._moved: tuple[str, str] | None = None
        self._settled: tuple[object, ...] = ()
        self._body: object = None

    @property
    def origin(self) -> str:
        """The origin of the hop, as it was settled."""
        return origin_of_url(self.url)

    def for_copy(self, request: PreparedRequest) -> Signing:
        copied = Signing(self.signer, home=self.home)
        copied.patch = self.patch
        copied._is_due = True
        copied._body = self._body
        copied._follows = self._is_sent or self._follows
        copied.signed_again = self.signed_again
        if self._is_sent and request.url != self.url:
            # The adapter has set another URL. A redirect that is relative to that one means ours.
            copied._moved = request.url or "", self.url
        return copied

    def start(self, request: PreparedRequest) -> None:
        """Sign the user's own call, or raise CannotSign and leave it as it was."""
        normalise_url(request)
        self.home = place_of(request.url)
        self._sign(request)

    def _sign(self, request: PreparedRequest) -> None:
        sign(request, self)
        self._is_signed = True
        self._keep(request)

    def on_read(self, request: PreparedRequest) -> None:
        """Someone reads the request: a copy is settled once requests' redirect is done with it."""
        is_shown = self.watches and not self._is_sent and self._is_changed(request)
        if is_shown or (self._is_due and not self.is_redirecting):
            self._settle(request)

    def on_url(self, request: PreparedRequest) -> None:
        """The URL was set. Nothing of the credential stays where it may not go, whatever becomes of the request."""
        url = request.__dict__["url"]
        if url is not None and not isinstance(url, str):  # requests takes bytes, and objects that are URLs as text
            request.__dict__["url"] = url.decode() if isinstance(url, bytes) else str(url)
        if self._is_due and not self.is_redirecting:
            self.is_redirecting = True  # what requests sets first on a copy
            self._move_back(request)
        if not self._is_sent and not self._may_go_to(request.__dict__["url"]):
            unnoticed(self, strip, request, self)

    def on_body_position(self, request: PreparedRequest) -> None:
        """What a redirect reads last."""
        self.is_redirecting = False

    def on_hooks(self, request: PreparedRequest) -> None:
        """What `Session.send` takes right before it calls an adapter, on every hop."""
        self.is_redirecting = False
        if self._is_due or self._is_sent or self._is_changed(request):
            self._settle(request)
        self._is_sent = True

    def on_target(self, request: PreparedRequest) -> None:
        """What requests' own adapter asks for; noticed where it is called without a session."""
        self.is_redirecting = False
        if self._is_due or (not self._is_sent and self._is_changed(request)):
            self._settle(request)

    def _settle(self, request: PreparedRequest) -> None:
        """Sign the request, or strip it where it was led elsewhere; raise CannotSign where it was sent elsewhere."""
        unnoticed(self, self._settle_now, request)
        self._is_due = False

    def _settle_now(self, request: PreparedRequest) -> None:
        normalise_url(request)
        place = place_of(request.url)
        is_other_body = self._body is not request.body
        if is_other_body:
            fit_body(request)
        if self.allows(place):
            if not is_other_body:
                self._check_resendable(request)
            if any(name == "Host" for name, _ in self.patch.headers):
                request.headers.pop("Host", None)  # it was that of the last hop
            self._sign(request)
            return
        strip(request, self)
        if self._is_signed and not self._follows:
            raise CannotSign(
                f"the URL was changed to {place} after the request was signed for {self.home}: "
                "name both in origins=[...], or prepare another request"
            )
        if not is_other_body:
            self._check_resendable(request)
        if self._is_due:
            self.tell_unsigned(place)
        self._keep(request)

    def _check_resendable(self, request: PreparedRequest) -> None:
        """Raise CannotSign for a stream that was sent already: requests would send nothing in its place."""
        body: Any = request.body
        if not self._is_sent and not self._follows:
            return
        if body is not None and not isinstance(body, (bytes, bytearray, memoryview, str)) and not is_seekable(body):
            raise CannotSign("the body is a stream that was sent already, and is asked for again: pass bytes or a file")

    def _may_go_to(self, url: str | None) -> bool:
        scratch = PreparedRequest()
        try:
            scratch.prepare_url(url or "", None)
            return self.allows(place_of(scratch.url))
        except (ValueError, CannotSign):  # requests' own errors about URLs are ValueErrors
            return False

    def _move_back(self, request: PreparedRequest) -> None:
        if self._moved is None:
            return
        (there, here), url = self._moved, request.__dict__["url"]
        if isinstance(url, str) and _prefix(url) == _prefix(there) and not self._may_go_to(url):
            request.__dict__["url"] = _prefix(here) + url.removeprefix(_prefix(url))

    def _keep(self, request: PreparedRequest) -> None:
        self.url = request.url or ""
        self._settled, self._body = _state(request), request.__dict__.get("body")

    def _is_changed(self, request: PreparedRequest) -> bool:
        return self._settled != _state(request) or self._body is not request.__dict__.get("body")


class _Noticed:
    """An attribute of a prepared request that tells its Signing when others read and set it."""

    def __init__(
        self,
        on_read: Callable[[Signing, PreparedRequest], None],
        on_set: Callable[[Signing, PreparedRequest], None] | None = None,
    ) -> None:
        self._on_read = on_read
        self._on_set = on_set

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, request: Any, owner: type | None = None) -> Any:
        if request is None:
            return self
        self._tell(self._on_read, request)
        try:
            return request.__dict__[self._name]
        except KeyError:
            raise AttributeError(self._name) from None

    def __set__(self, request: Any, value: object) -> None:
        request.__dict__[self._name] = value
        if self._on_set:
            self._tell(self._on_set, request)

    def _tell(self, what: Callable[[Signing, PreparedRequest], None], request: PreparedRequest) -> None:
        signing = request.__dict__.get(SIGNING)
        if isinstance(signing, Signing) and not signing.is_busy:
            what(signing, request)


class SignedRequest(PreparedRequest):
    """A prepared request that is signed, and whose copies, which is what redirects are made of, sign themselves."""

    url = _Noticed(Signing.on_read, Signing.on_url)  # pyright: ignore[reportAssignmentType]
    headers = _Noticed(Signing.on_read)  # pyright: ignore[reportAssignmentType]
    body = _Noticed(Signing.on_read)  # pyright: ignore[reportAssignmentType]
    hooks = _Noticed(Signing.on_hooks)
    _body_position = _Noticed(Signing.on_body_position)

    def copy(self) -> PreparedRequest:
        signing: Signing = self.__dict__[SIGNING]
        copied: PreparedRequest = unnoticed(signing, super().copy)
        copied.__dict__[SIGNING] = unnoticed(signing, signing.for_copy, self)
        copied.__class__ = type(self)
        if signing.signer.correction:
            add_clock_correction(copied)
        return copied

    def prepare_auth(self, auth: Any, url: Any = "") -> None:
        """Nothing on a redirect: requests comes with what netrc holds there, and that never replaces the signature."""
        signing: Signing = self.__dict__[SIGNING]
        if not signing.is_redirecting:
            super().prepare_auth(auth, url)

    def register_hook(self, event: Any, hook: Any) -> None:
        unnoticed(self.__dict__[SIGNING], super().register_hook, event, hook)

    def deregister_hook(self, event: Any, hook: Any) -> bool:
        return bool(unnoticed(self.__dict__[SIGNING], super().deregister_hook, event, hook))

    @property
    def path_url(self) -> str:
        signing: Signing = self.__dict__[SIGNING]
        if not signing.is_busy:
            signing.on_target(self)
        return super().path_url

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickled responses hold their request. It stays readable there, and cannot sign any more.
        self.url  # noqa: B018 - a copy is settled by that
        state = {name: value for name, value in self.__dict__.items() if name != SIGNING}
        hooks: dict[str, list[Any]] = state["hooks"]
        state["hooks"] = {
            event: [hook for hook in of if not isinstance(hook, (SignAgain, CheckResponse))]
            for event, of in hooks.items()
        }
        return PreparedRequest, (), state


class SignAgain:
    """A response hook: where the answer shows that our clock is off, the request is signed and sent once more.

    It holds the request, since mocks put a stand-in at `response.request`; weakly, since the request holds it.
    """

    def __init__(self, request: PreparedRequest) -> None:
        self._request = weakref.ref(request)

    def __call__(self, response: Response, *_: Any, **keywords: Any) -> Response:
        request = self._request()
        connection: Any = getattr(response, "connection", None)
        if request is None or connection is None:
            return response
        signing: Signing = request.__dict__[SIGNING]
        if signing.signed_again:
            return response
        if not signing.should_sign_again(signing.origin, response.status_code, response.headers.items()):
            return response
        response.content  # noqa: B018 - reading it frees the connection
        response.close()
        again = request.copy()
        again.__dict__["url"] = signing.url  # which the adapter may have changed
        signing_again: Signing = again.__dict__[SIGNING]
        signing_again.signed_again = True
        again.hooks  # noqa: B018 - as a session takes them; it is signed by that
        answer: Response = connection.send(again, **keywords)
        answer.history.append(response)
        answer.request = again
        return answer


def add_clock_correction(request: PreparedRequest) -> None:
    """Have the request, and it alone of those that share its hooks, signed again where its answer calls for that."""
    hooks: dict[str, list[Any]] = request.__dict__["hooks"]
    others = [hook for hook in hooks.get("response", ()) if not isinstance(hook, SignAgain)]
    request.__dict__["hooks"] = {**hooks, "response": [SignAgain(request), *others]}


def signed_class(kind: type[PreparedRequest]) -> type[PreparedRequest]:
    """The signed kind of a prepared request: a plain one as a rule, or another library's subclass of it."""
    if issubclass(kind, SignedRequest):
        return kind
    return SignedRequest if kind is PreparedRequest else type(kind.__name__, (SignedRequest, kind), {})


def _state(request: PreparedRequest) -> tuple[object, ...]:
    known = request.__dict__
    return known["method"], known["url"], pairs_of(known["headers"])


def _prefix(url: str) -> str:
    """The URL up to its path."""
    found = _ORIGIN.match(url)
    return found[0] if found else ""


def unnoticed(signing: Signing, call: Callable[..., _T], *arguments: Any) -> _T:
    """What the call returns; whatever it reads and sets meanwhile is our own doing."""
    was_busy, signing.is_busy = signing.is_busy, True
    try:
        return call(*arguments)
    finally:
        signing.is_busy = was_busy
