"""requests: `requests.get(url, auth=SignatureAuth(GoTom(), key_id, secret))`.

    session.get ── prepares the request ── auth ──> SignedRequest: signed, and watched
                                                        │ Session.send takes its hooks: changed since? sign afresh
                                                        ▼
                                                     adapter ──> the wire
                                                        │ a redirect: requests copies the request, and sets the
                                                        │ copy's URL, method, headers and body
                                                        ▼
                                                     the copy is settled by whoever reads it first:
                                                     signed afresh, or stripped (see `_hop`)

requests runs auth once, after all else is prepared, and follows redirects with copies of the prepared request. It has
no hook between such a copy and the adapter that sends it. So the auth turns the request into one that signs itself
again whenever it was copied, at the last moment before an adapter sends it. Hooks, cookies, `allow_redirects`,
`max_redirects` and mounted adapters stay as they are.

`_requests_prepared` has that request, `_requests_signing` signs one as it stands, and `_requests_adapter` signs below
all this, where urllib3 retries.
"""

from __future__ import annotations

from requests import PreparedRequest
from requests.auth import AuthBase

from ._hop import HopAuth, other_client
from ._requests_adapter import SigningAdapter, retries
from ._requests_checks import add_response_check
from ._requests_prepared import SIGNING, Signing, add_clock_correction, signed_class, unnoticed

__all__ = ["SignatureAuth", "SigningAdapter", "retries"]


class SignatureAuth(HopAuth, AuthBase):
    """Signs every request, and every redirect within the credential's origins afresh.

    A redirect elsewhere goes without signature, Date, signed headers and parameters. netrc never steps in. One object
    serves any number of sessions and threads.

    - `origins`: where the credential may go, each as `https://host[:port]`. With none named that is the origin of the
      call itself.
    - `clock`: returns Unix seconds.
    - `adjust_clock`: a refusal over https whose Date lies outside the scheme's window is answered by signing once more,
      with the server's time. That time is remembered for its origin. More than a day is not followed.
    - `older`: secrets that are being replaced, for a scheme that sends several signatures. Each makes one too.
    - `extra`: what else the credential has, by name.
    - `nonce`: returns a text that no request had before. Where it is not given and the scheme wants one, it is a new
      UUID.
    - `check_response`: for a scheme that signs answers. The answer to each hop is read whole, a stream too.
      ResponseRejected is raised where its signature is absent or wrong.

    Raises ConfigError for a credential that cannot work. Sending raises CannotSign for a request that cannot be signed.
    Files are hashed from where they stand. Other streams are spooled, to disk beyond 1 MiB.
    """

    _own = "requests"
    _watches = False

    def __call__(self, request: PreparedRequest, *others: object) -> PreparedRequest:
        """Called by requests, once all else of the request is prepared."""
        if problem := other_client(self._own, request):
            raise problem
        signing = Signing(self._signer, watches=self._watches)
        unnoticed(request.__dict__.get(SIGNING, signing), signing.start, request)
        request.__dict__[SIGNING] = signing
        request.__class__ = signed_class(type(request))
        if self._signer.check:
            add_response_check(self._signer.check, request)
        if self._signer.correction:
            add_clock_correction(request)
        return request
