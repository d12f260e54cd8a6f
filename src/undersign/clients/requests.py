"""requests: `requests.get(url, auth=SignatureAuth(GoTom(), key_id, secret))`.

requests runs auth once, after all else is prepared, and follows redirects with copies of the prepared request.
So the auth turns it into a prepared request that signs itself again whenever it was copied, at the last moment
before an adapter sends it. Hooks, cookies, `allow_redirects`, `max_redirects` and mounted adapters stay as they are.
"""

from __future__ import annotations

from requests import PreparedRequest
from requests.auth import AuthBase

from ._auth import HopAuth
from ._requests_adapter import SigningAdapter, retries
from ._requests_hops import SIGNING, Signing, add_clock_correction, signed_class, unnoticed

__all__ = ["SignatureAuth", "SigningAdapter", "retries"]


class SignatureAuth(HopAuth, AuthBase):
    """Signs every request, and every redirect within the credential's origins afresh.

    A redirect elsewhere goes without signature, Date, signed headers and parameters, and netrc never steps in.
    `origins` are where the credential may go (`https://host[:port]`); with none named that is the origin of the
    call itself. `clock` returns Unix seconds. With `adjust_clock` a refusal over https whose Date shows that our
    clock is off by more than the scheme's window is answered by signing once more with the server's time, which is
    remembered for its origin; a day at most. `older` are secrets that are being replaced, for a scheme that sends
    several signatures: each makes one too. One object serves any number of sessions and threads.

    Raises ConfigError for a credential that cannot work; sending raises CannotSign for a request that cannot be
    signed. Files are hashed from where they stand; other streams are spooled, to disk beyond 1 MiB.
    """

    _watches = False

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Called by requests, once all else of the request is prepared."""
        signing = Signing(self._hops, watches=self._watches)
        unnoticed(request.__dict__.get(SIGNING, signing), signing.start, request)
        request.__dict__[SIGNING] = signing
        request.__class__ = signed_class(type(request))
        if self._hops.correction:
            add_clock_correction(request)
        return request
