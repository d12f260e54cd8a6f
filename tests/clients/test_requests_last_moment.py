"""requests: what changes after a request was signed, what adapters change while they send, and requests sent again."""

from __future__ import annotations

import copy
import io
import itertools
import logging
import pickle
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.clients.callers import iterate
from tests.clients.conftest import NOW, SECRET
from tests.clients.transports import ELSEWHERE, HOME, TRANSPORTS, Answer, TenLines
from tests.clients.wire import WireServer, once, redirect
from undersign import CannotSign, GoGrid, GoTom, HttpHmac, Rejected, Request, Scheme, Verifier
from undersign.clients.requests import SignatureAuth, SigningAdapter

GOGRID = GoGrid(allow_http=True)
SCHEMES = pytest.mark.parametrize("scheme", [GoTom(), GOGRID], ids=["gotom", "gogrid"])


def verifier(scheme: Scheme) -> Verifier:
    return Verifier(scheme, {"key": SECRET}, clock=lambda: NOW)


def ticking() -> Callable[[], float]:
    seconds = itertools.count(int(NOW))
    return lambda: float(next(seconds))


def auth(scheme: Scheme, **keywords: Any) -> SignatureAuth:
    return SignatureAuth(scheme, "key", SECRET, clock=ticking(), **keywords)


class Recorded:
    """A session whose adapter keeps what it sees, and gives these answers before it says 200."""

    def __init__(self, *answers: Answer) -> None:
        self.seen: list[Request] = []
        self._answers = itertools.chain(answers, itertools.repeat((200, dict[str, str]())))
        self.session = requests.Session()
        self.adapter = TenLines(self._respond)
        self.session.mount("http://", self.adapter)
        self.session.mount("https://", self.adapter)

    def _respond(self, request: Request) -> Answer:
        self.seen.append(request)
        return next(self._answers)


class TestAChangeAfterThePreparation:
    """It is signed afresh, or refused; never sent with the signature of what was there before."""

    @pytest.fixture
    def recorded(self) -> Recorded:
        return Recorded()

    def prepared(self, recorded: Recorded, scheme: Scheme, **keywords: Any) -> requests.PreparedRequest:
        request = requests.Request("POST", HOME + "/p", data={"a": "1"}, auth=auth(scheme, **keywords))
        return recorded.session.prepare_request(request)

    @SCHEMES
    def test_the_body(self, recorded: Recorded, scheme: Scheme) -> None:
        request = self.prepared(recorded, scheme)
        request.prepare_body({"a": "2"}, None)
        recorded.session.send(request)
        assert recorded.seen[0].body.startswith(b"a=2")  # type: ignore[union-attr]
        assert verifier(scheme).verify(recorded.seen[0]).at == int(NOW) + 1

    @SCHEMES
    def test_the_url(self, recorded: Recorded, scheme: Scheme) -> None:
        request = self.prepared(recorded, scheme)
        request.url = HOME + "//other?x=%2f"
        recorded.session.send(request)
        assert recorded.seen[0].target.startswith("/other?x=%2F")
        assert verifier(scheme).verify(recorded.seen[0]).at == int(NOW) + 1

    @pytest.mark.parametrize("change", ["method", "content-type", "x-tenant"])
    def test_the_method_and_signed_headers(self, recorded: Recorded, change: str) -> None:
        scheme = HttpHmac("Acme", signed_headers=("X-Tenant",))
        request = self.prepared(recorded, scheme)
        if change == "method":
            request.method = "PUT"
        else:
            request.headers[change] = "other"
        recorded.session.send(request)
        assert verifier(scheme).verify(recorded.seen[0]).at == int(NOW) + 1

    def test_what_nothing_changed_is_signed_once(self, recorded: Recorded) -> None:
        recorded.session.send(self.prepared(recorded, GoTom()))
        assert verifier(GoTom()).verify(recorded.seen[0]).at == int(NOW)

    def test_a_hook_that_is_registered_is_no_change(self, recorded: Recorded) -> None:
        request, statuses = self.prepared(recorded, GoTom()), list[int]()

        def hook(response: requests.Response, *_: Any, **__: Any) -> None:
            statuses.append(response.status_code)

        request.register_hook("response", hook)  # type: ignore[no-untyped-call]
        recorded.session.send(request)
        assert statuses == [200]
        assert verifier(GoTom()).verify(recorded.seen[0]).at == int(NOW)

    @SCHEMES
    def test_another_origin_is_refused(self, recorded: Recorded, scheme: Scheme) -> None:
        request = self.prepared(recorded, scheme)
        request.url = ELSEWHERE + "/p"
        with pytest.raises(CannotSign, match=r"changed to http://other.*signed for http://api.*origins="):
            recorded.session.send(request)
        assert recorded.seen == []

    @SCHEMES
    def test_another_origin_that_is_named_is_signed(self, recorded: Recorded, scheme: Scheme) -> None:
        request = self.prepared(recorded, scheme, origins=[HOME, ELSEWHERE])
        request.url = ELSEWHERE + "/p"
        recorded.session.send(request)
        assert verifier(scheme).verify(recorded.seen[0]).key_id == "key"

    @SCHEMES
    def test_an_adapter_that_is_called_without_a_session_gets_nothing_for_another_origin(
        self, recorded: Recorded, scheme: Scheme
    ) -> None:
        request = self.prepared(recorded, scheme)
        request.url = ELSEWHERE + "/p"
        recorded.adapter.send(request)
        assert recorded.seen[0].body == b"a=1"
        with pytest.raises(Rejected, match="missing"):
            verifier(scheme).verify(recorded.seen[0])

    def test_requests_own_adapter_without_a_session_signs_afresh(self, server: WireServer) -> None:
        request = requests.Session().prepare_request(requests.Request("POST", server.url, data="a", auth=auth(GoTom())))
        request.body = b"b"
        adapter = HTTPAdapter()
        adapter.send(request, proxies={})
        adapter.close()
        assert server.verified(verifier(GoTom())).at == int(NOW) + 1


class TestSentAgain:
    @SCHEMES
    def test_a_request_that_is_sent_twice_is_signed_twice(self, scheme: Scheme) -> None:
        recorded = Recorded()
        request = recorded.session.prepare_request(requests.Request("POST", HOME, data={"a": "1"}, auth=auth(scheme)))
        for _ in range(3):
            recorded.session.send(request)
        ats = [verifier(scheme).verify(request).at for request in recorded.seen]
        assert ats == [int(NOW), int(NOW) + 1, int(NOW) + 2]

    def test_a_stream_is_not_sent_again_empty(self) -> None:
        recorded = Recorded()
        request = requests.Request("POST", HOME, data=iterate([b"a"]), auth=auth(GOGRID))
        prepared = recorded.session.prepare_request(request)
        recorded.session.send(prepared)
        with pytest.raises(CannotSign, match="sent already"):
            recorded.session.send(prepared)

    def test_copies_of_a_template_are_each_signed(self) -> None:
        recorded = Recorded()
        template = recorded.session.prepare_request(requests.Request("GET", HOME + "/0", auth=auth(GoTom())))
        for number in range(3):
            request = template.copy()
            request.url = f"{HOME}/{number}"
            recorded.session.send(request)
        ats = [verifier(GoTom()).verify(request).at for request in recorded.seen]
        assert ats == [int(NOW) + 1, int(NOW) + 2, int(NOW) + 3]

    def test_a_hook_that_sends_a_copy_itself_sends_a_fresh_signature(self) -> None:
        recorded = Recorded((503, {}))

        def again(response: requests.Response, **keywords: Any) -> requests.Response:
            if response.status_code == 503:
                response = response.connection.send(response.request.copy(), **keywords)
            return response

        answer = recorded.session.get(HOME, auth=auth(GoTom()), hooks={"response": again})
        assert answer.status_code == 200
        assert [verifier(GoTom()).verify(request).at for request in recorded.seen] == [int(NOW), int(NOW) + 1]

    def test_a_next_request_is_signed_when_it_is_sent(self) -> None:
        recorded = Recorded((307, {"Location": "/2"}))
        response = recorded.session.post(HOME, data="a", auth=auth(GoTom()), allow_redirects=False)
        assert response.next is not None
        recorded.session.send(response.next)
        assert verifier(GoTom()).verify(recorded.seen[1]).at == int(NOW) + 1

    @pytest.mark.parametrize("location", ["/2", ELSEWHERE, "http://%zz:no", "ftp://x/"])
    def test_a_redirect_that_is_not_followed_raises_nothing(self, location: str) -> None:
        recorded = Recorded((307, {"Location": location}))
        body = iterate([b"a"])
        response = recorded.session.post(HOME, data=body, auth=auth(GOGRID), allow_redirects=False)
        assert response.status_code == 307

    def test_signing_it_anew_by_hand_works(self) -> None:
        recorded = Recorded()
        request = recorded.session.prepare_request(requests.Request("GET", HOME, auth=auth(GoTom())))
        request.prepare_auth(SignatureAuth(GoTom(), "other", "secret", clock=lambda: NOW))
        recorded.session.send(request)
        assert Verifier(GoTom(), {"other": "secret"}, clock=lambda: NOW).verify(recorded.seen[0]).key_id == "other"

    @pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda request: pickle.loads(pickle.dumps(request))])
    def test_a_shallow_copy_or_a_pickle_is_a_plain_request(self, how: Any) -> None:
        signed = auth(GoTom(), adjust_clock=True)
        request = requests.Session().prepare_request(requests.Request("GET", HOME, auth=signed))
        copied = how(request)
        assert type(copied) is requests.PreparedRequest
        assert copied.headers == request.headers
        assert SECRET not in repr(vars(copied))


class HostToAddress(HTTPAdapter):
    """An adapter that sends what is for a name to an address."""

    def __init__(self, name: str, address: str) -> None:
        super().__init__()
        self.name = name
        self.address = address

    def send(self, request: requests.PreparedRequest, *arguments: Any, **keywords: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace(self.name, self.address)
        return super().send(request, *arguments, **keywords)


class TestAnAdapterThatSetsAnotherUrl:
    @SCHEMES
    @pytest.mark.parametrize("location", ["/2", "{name}/2", "{address}/2"])
    @pytest.mark.parametrize("named", [True, False], ids=["origins", "no origins"])
    @pytest.mark.parametrize("mounted", ["http://", "{name}"])
    def test_both_hops_are_signed(
        self, server: WireServer, scheme: Scheme, location: str, named: bool, mounted: str
    ) -> None:
        name = f"http://api.example.test:{server.port}"
        server.respond = once(redirect(307, location.format(name=name, address=server.url)))
        with requests.Session() as session:
            session.mount(mounted.format(name=name), HostToAddress("api.example.test", "127.0.0.1"))
            signed = auth(scheme, origins=[name] if named else [])
            session.post(name + "/1?x=%2f", data={"a": "1"}, auth=signed, timeout=30)
        ats = [server.verified(verifier(scheme), index).at for index in range(2)]
        assert ats == [int(NOW), int(NOW) + 1]
        assert server.received().target.startswith("/2")

    @SCHEMES
    def test_elsewhere_nothing_of_the_credential_goes(
        self, server: WireServer, elsewhere: WireServer, scheme: Scheme
    ) -> None:
        name = f"http://api.example.test:{server.port}"
        server.respond = once(redirect(307, elsewhere.url))
        with requests.Session() as session:
            session.mount("http://", HostToAddress("api.example.test", "127.0.0.1"))
            session.post(name, data={"a": "1"}, auth=auth(scheme, origins=[name]), timeout=30)
        assert elsewhere.received().body == b"a=1"
        with pytest.raises(Rejected, match="missing"):
            elsewhere.verified(verifier(scheme))


class TestThroughAProxy:
    @SCHEMES
    @pytest.mark.parametrize("path", ["//a//b", "///a", "/a//b", "//", "//a/../b?x=//y"])
    @pytest.mark.parametrize("below", [False, True], ids=["auth", "adapter"])
    def test_what_is_signed_is_sent(self, server: WireServer, scheme: Scheme, path: str, below: bool) -> None:
        origin = "http://api.example.test"
        with requests.Session() as session:
            session.proxies = {"http": server.url}
            if below:
                session.mount("http://", SigningAdapter(scheme, "key", SECRET, origins=[origin], clock=lambda: NOW))
                session.get(origin + path, timeout=30)
            else:
                session.get(origin + path, auth=auth(scheme), timeout=30)
        assert server.received().target.startswith(origin + "/")
        assert server.verified(verifier(scheme)).key_id == "key"


class TestClockCorrectionUnderMocks:
    """A mock may put a stand-in of its own at `response.request`."""

    @pytest.mark.parametrize("name", ["url first", "requests-mock", "responses", "rest framework"])
    def test_it_signs_once_more(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tests.clients.transports.HOME", "https://api.example.test")
        late = NOW + 7200
        server = Verifier(GoTom(), {"key": SECRET}, clock=lambda: late)

        def respond(request: Request) -> Answer:
            try:
                server.verify(request)
            except Rejected:
                return 401, {"Date": formatdate(late, usegmt=True)}
            return 200, {}

        with TRANSPORTS[name](respond, tmp_path) as (session, home, _):
            response = session.post(home, data={"a": "1"}, auth=auth(GoTom(), adjust_clock=True))
        assert (response.status_code, len(response.history)) == (200, 1)


class TestTheUpgradeToHttps:
    HERE, THERE = "http://api.example.test", "https://api.example.test"

    @SCHEMES
    @pytest.mark.parametrize("location", ["https://api.example.test/2", "https://API.example.test:443/2"])
    def test_of_the_same_host_on_default_ports_is_signed(self, scheme: Scheme, location: str) -> None:
        recorded = Recorded((307, {"Location": location}))
        recorded.session.post(self.HERE, data={"a": "1"}, auth=auth(scheme))
        assert verifier(scheme).verify(recorded.seen[1]).at == int(NOW) + 1

    @pytest.mark.parametrize(
        ("here", "there", "origins"),
        [
            (HERE + ":8080", THERE, []),
            (HERE + ":8080", THERE + ":8080", []),
            (HERE, THERE + ":8443", []),
            (THERE, HERE, []),
            (HERE, THERE, [HERE]),
        ],
    )
    def test_any_other_goes_unsigned_and_says_so(
        self, here: str, there: str, origins: list[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        recorded = Recorded((307, {"Location": there + "/2"}))
        with caplog.at_level(logging.INFO, "undersign"):
            recorded.session.post(here, data={"a": "1"}, auth=auth(GoTom(), origins=origins))
        with pytest.raises(Rejected, match="missing"):
            verifier(GoTom()).verify(recorded.seen[1])
        (record,) = caplog.records
        assert record.levelname == "WARNING"
        assert f"call to {here} leads to {there} and goes there unsigned" in record.getMessage()
        assert "origins=[...]" in record.getMessage()

    def test_another_host_is_told_more_quietly(self, caplog: pytest.LogCaptureFixture) -> None:
        recorded = Recorded((307, {"Location": ELSEWHERE}))
        with caplog.at_level(logging.INFO, "undersign"):
            recorded.session.post(HOME, data={"a": "1"}, auth=auth(GoTom()))
        assert [record.levelname for record in caplog.records] == ["INFO"]

    def test_the_way_back_down_is_the_user_s_own_origin_alone(self) -> None:
        recorded = Recorded((307, {"Location": self.THERE}), (307, {"Location": self.HERE}))
        recorded.session.post(self.HERE, data={"a": "1"}, auth=auth(GoTom()))
        assert [verifier(GoTom()).verify(request).key_id for request in recorded.seen] == ["key"] * 3
        assert [request.origin for request in recorded.seen] == [self.HERE, self.THERE, self.HERE]


class TestBelowTheSigningAdapter:
    """It is mounted for one origin, and another adapter sends the hop elsewhere."""

    @pytest.fixture
    def session(self, server: WireServer) -> requests.Session:
        session = requests.Session()
        scheme = HttpHmac("Acme", signed_headers=("X-Tenant",))
        session.mount(server.url, SigningAdapter(scheme, "key", SECRET, origins=[server.url], clock=ticking()))
        return session

    def test_an_answer_that_brings_gogrid_s_parameters_back_leads_elsewhere_without_them(
        self, server: WireServer, elsewhere: WireServer
    ) -> None:
        targets: list[str] = []

        def respond(raw: bytes) -> bytes:
            targets.append(Request.from_http(raw).target.partition("?")[2])
            return redirect(302, "/2" if len(targets) == 1 else f"{elsewhere.url}/?{targets[0]}&y=%2f#part")

        server.respond = respond
        with requests.Session() as session:
            session.mount(server.url, SigningAdapter(GOGRID, "key", SECRET, origins=[server.url], clock=ticking()))
            response = session.get(server.url + "/?x=1", timeout=30)
        assert elsewhere.received().target == "/?x=1&y=%2F"
        assert "sig" not in response.url

    def test_signed_headers_of_the_caller_stay_here(
        self, session: requests.Session, server: WireServer, elsewhere: WireServer
    ) -> None:
        server.respond = once(redirect(307, elsewhere.url))
        session.post(server.url, data="a", headers={"X-Tenant": "t", "X-Other": "o"}, timeout=30)
        assert server.received().values("x-tenant") == ["t"]
        assert elsewhere.received().values("x-tenant") == []
        assert elsewhere.received().values("x-other") == ["o"]


def test_netrc_never_steps_in_whatever_the_adapter_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine api.example.test login u password p\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    recorded = Recorded((307, {"Location": "/2"}))
    recorded.session.post(HOME, data="a", auth=auth(GoTom()))
    assert [verifier(GoTom()).verify(request).key_id for request in recorded.seen] == ["key", "key"]


def test_a_file_is_sent_again_from_where_it_stood_whatever_the_adapter_reads() -> None:
    recorded = Recorded((307, {"Location": "/2"}))
    file = io.BytesIO(b"headtail")
    file.seek(4)
    recorded.session.post(HOME, data=file, auth=auth(GoTom()))
    assert [request.body for request in recorded.seen] == [b"tail", b"tail"]
    assert verifier(GoTom()).verify(recorded.seen[1]).at == int(NOW) + 1
