"""Other libraries that sign requests, each as it is used, beside this one in the same place.

    python benchmarks/peers.py [--quick]

Each signs a GET of eight headers. What making or sending the request costs without a signature is measured in turn and
taken off, so that what is left is the signing. Libraries that are not installed are left out: `make bench` installs
them all.
"""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

import plain
from sample import HEADERS, KEY_ID, NOW, ORIGIN, SECRET, TARGET, clock
from turns import Job, fastest, optional, version

from undersign import Credential, GoGrid, GoTom, Request, Signer

URL = ORIGIN + TARGET
_FIELDS = dict(HEADERS)


class Peer(NamedTuple):
    """`signing` does what `bare` does, and signs; `place` says what of: where both are the same, costs compare."""

    name: str
    place: str
    signing: Job
    bare: Job


def nothing() -> None:
    """For what signs a URL or a value, and needs no request first."""


def peers() -> list[Peer]:
    """Those that are installed."""
    return [*_alone(), *_on_requests(), *_on_httpx()]


def _alone() -> list[Peer]:
    """Libraries that are called with a URL, or with a request of their own."""
    credential = Credential(KEY_ID, SECRET)
    gotom, gogrid = Signer(GoTom(), credential, clock=clock), Signer(GoGrid(), credential, clock=clock)
    found = [
        Peer(
            "careful code by hand, goTom",
            "functions",
            lambda: plain.gotom_sign("GET", TARGET, HEADERS, b"", KEY_ID, SECRET.encode(), NOW),
            nothing,
        ),
        Peer(
            "**undersign**, `Signer` of goTom",
            "functions",
            lambda: gotom.sign(Request("GET", TARGET, HEADERS, b"", ORIGIN)),
            nothing,
        ),
        Peer(
            "**undersign**, `Signer` of GoGrid",
            "functions",
            lambda: gogrid.sign(Request("GET", TARGET, HEADERS, b"", ORIGIN)).url(URL),
            nothing,
        ),
    ]
    if auth := optional("botocore.auth"):
        request = optional("botocore.awsrequest").AWSRequest
        hmac_v1 = auth.HmacV1Auth(optional("botocore.credentials").Credentials("AKID", SECRET))
        found.append(
            Peer(
                f"botocore {version('botocore')}, HmacV1Auth",
                "functions",
                lambda: hmac_v1.add_auth(request("GET", URL, headers=dict(_FIELDS))),
                lambda: request("GET", URL, headers=dict(_FIELDS)),
            )
        )
    if mohawk := optional("mohawk"):
        hawk = {"id": "me", "key": SECRET, "algorithm": "sha256"}
        found.append(
            Peer(
                f"mohawk {version('mohawk')}, Sender",
                "functions",
                lambda: mohawk.Sender(hawk, URL, "GET", content="", content_type="application/json").request_header,
                nothing,
            )
        )
    if oauth1 := optional("oauthlib.oauth1"):
        client = oauth1.Client("me", client_secret=SECRET)
        found.append(
            Peer(
                f"oauthlib {version('oauthlib')}, OAuth 1 Client", "functions", lambda: client.sign(URL, "GET"), nothing
            )
        )
    messages, requests = optional("http_message_signatures"), optional("requests")
    if messages and requests:
        signer = messages.HTTPMessageSigner(
            signature_algorithm=messages.algorithms.HMAC_SHA256, key_resolver=_resolver(messages)()
        )
        covered = ("@method", "@target-uri", "content-type")
        found.append(
            Peer(
                f"http-message-signatures {version('http-message-signatures')}, HMAC-SHA256",
                "functions",
                lambda: signer.sign(
                    requests.Request("GET", URL, headers=_FIELDS).prepare(), key_id="me", covered_component_ids=covered
                ),
                lambda: requests.Request("GET", URL, headers=_FIELDS).prepare(),
            )
        )
    return found


def _resolver(messages: Any) -> Any:
    def key(self: object, key_id: str) -> bytes:
        return SECRET.encode()

    methods = {"resolve_public_key": key, "resolve_private_key": key}
    return type("Keys", (messages.HTTPSignatureKeyResolver,), methods)


def _on_requests() -> list[Peer]:
    """`auth=` of a session whose adapter answers at once."""
    requests = optional("requests")
    if requests is None:
        return []
    from undersign.clients.requests import SignatureAuth

    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _answering(requests)())

    def call(auth: Any) -> Job:
        return lambda: session.get(URL, headers=_FIELDS, auth=auth)

    bare = call(lambda request: request)
    found = [Peer("**undersign**, `SignatureAuth`", "requests", call(SignatureAuth(GoTom(), KEY_ID, SECRET)), bare)]
    if aws4 := optional("requests_aws4auth"):
        auth = aws4.AWS4Auth("AKID", SECRET, "eu-west-1", "execute-api")
        name = f"requests-aws4auth {version('requests-aws4auth')}, AWS4Auth"
        found.append(Peer(name, "requests", call(auth), bare))
    return found


def _answering(requests: Any) -> Any:
    def send(self: object, request: Any, *arguments: object, **keywords: object) -> Any:
        request.path_url  # noqa: B018 - as every real adapter does
        response = requests.Response()
        response.status_code, response.request, response._content, response.raw = 200, request, b"", None
        return response

    return type("Answering", (requests.adapters.BaseAdapter,), {"send": send, "close": lambda self: None})


def _on_httpx() -> list[Peer]:
    """`auth=` of a client whose transport answers at once."""
    httpx = optional("httpx")
    if httpx is None:
        return []
    from undersign.clients.httpx import SignatureAuth

    client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200)), trust_env=False)

    def call(auth: Any) -> Job:
        return lambda: client.get(URL, headers=_FIELDS, auth=auth)

    bare = call(httpx.Auth())
    found = [Peer("**undersign**, `SignatureAuth`", "httpx", call(SignatureAuth(GoTom(), KEY_ID, SECRET)), bare)]
    if httpx_auth := optional("httpx_auth"):
        auth = httpx_auth.AWS4Auth("AKID", SECRET, region="eu-west-1", service="execute-api")
        found.append(Peer(f"httpx-auth {version('httpx-auth')}, AWS4Auth", "httpx", call(auth), bare))
    return found


def measured(rounds: int, calls: int = 20) -> list[tuple[Peer, float]]:
    """Microseconds that each adds to a request, in order."""
    found = peers()
    jobs: dict[str, Job] = {}
    for index, peer in enumerate(found):
        jobs[f"{index} signing"], jobs[f"{index} bare"] = peer.signing, peer.bare
    best = fastest(jobs, rounds, calls)
    added = [(peer, best[f"{index} signing"] - best[f"{index} bare"]) for index, peer in enumerate(found)]
    return sorted(added, key=lambda item: item[1])


def show(rounds: int) -> None:
    print(f"\n{'signing a GET, as each is used':64}{'on':12}{'µs':>8}")
    for peer, microseconds in measured(rounds):
        print(f"{peer.name:64}{peer.place:12}{microseconds:8.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    show(20 if parser.parse_args().quick else 100)
