"""requests: what changes after a request was signed, requests sent again, and where a redirect may lead them."""

from __future__ import annotations

import copy
import io
import logging
import pickle
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.clients.callers import iterate
from tests.clients.conftest import NOW, SECRET
from tests.clients.transports import ELSEWHERE, GOGRID, HOME, SCHEMES, Recorded, auth, verifier
from tests.clients.wire import WireServer
from undersign import CannotSign, GoTom, HttpHmac, Rejected, Scheme, Verifier
from undersign.clients.requests import SignatureAuth


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

    @pytest.mark.parametrize(
        "body", [b"", b"longer than it was", "text", None, io.BytesIO, lambda rest: iterate([rest])]
    )
    def test_a_body_that_is_set_is_sent_with_its_own_length(self, server: WireServer, body: Any) -> None:
        with requests.Session() as session:
            given = requests.Request("POST", server.url, data=b"short", auth=auth(GoTom()))
            for request in (session.prepare_request(given), session.prepare_request(given).copy()):
                request.body = body if body is None or isinstance(body, (bytes, str)) else body(b"rest")
                session.send(request, timeout=30)
                assert server.verified(verifier(GoTom())).key_id == "key"
                assert server.received().values("content-length") == [str(len(server.received().body))]  # type: ignore[arg-type]

    @SCHEMES
    def test_the_url(self, recorded: Recorded, scheme: Scheme) -> None:
        request = self.prepared(recorded, scheme)
        request.url = HOME + "//other?x=%2f"
        recorded.session.send(request)
        assert recorded.seen[0].target.startswith("/other?x=%2F")
        assert verifier(scheme).verify(recorded.seen[0]).at == int(NOW) + 1

    @pytest.mark.parametrize("change", ["method", "content-type", "x-tenant"])
    def test_the_method_and_signed_headers(self, recorded: Recorded, change: str) -> None:
        scheme = HttpHmac(provider="Acme", signed_headers=("X-Tenant",))
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

    @pytest.mark.parametrize("url", [HOME.encode() + b"/b", ELSEWHERE.encode()])
    def test_a_url_may_be_bytes(self, recorded: Recorded, url: bytes) -> None:
        request = self.prepared(recorded, GOGRID, origins=[HOME, ELSEWHERE])
        request.url = url  # type: ignore[assignment]  # requests takes it
        recorded.session.send(request)
        assert verifier(GOGRID).verify(recorded.seen[0]).key_id == "key"

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


class TestSchemesOfUrlsOfAnAdapterOfItsOwn:
    """requests-mock and requests-unixsocket have them: nobody knows an origin, and still it is one place or another."""

    @pytest.mark.parametrize(
        ("location", "signed"), [("mock://one/2", True), ("mock://two/2", False), ("http://one/2", False)]
    )
    def test_a_redirect_is_signed_within_the_same_place(self, location: str, signed: bool) -> None:
        recorded = Recorded((307, {"Location": location}))
        recorded.session.mount("mock://", recorded.adapter)
        recorded.session.post("mock://one/1", data={"a": "1"}, auth=auth(GoTom()))
        assert [request.values("authorization") != [] for request in recorded.seen] == [True, signed]


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
        prepared.body = iterate([b"b"])  # type: ignore[assignment]  # requests takes it
        recorded.session.send(prepared)
        assert [request.body for request in recorded.seen] == [b"a", b"b"]

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


def test_where_origins_cannot_name_the_url_the_error_does_not_ask_for_that() -> None:
    recorded = Recorded()
    recorded.session.mount("http+unix://", recorded.adapter)
    with pytest.raises(CannotSign, match=r"unknown origin: .* leave the credential's out") as caught:
        recorded.session.get("http+unix://%2Ftmp%2Fs/a", auth=auth(GoTom(), origins=[HOME]))
    assert "add that" not in str(caught.value)
    assert recorded.session.get("http+unix://%2Ftmp%2Fs/a", auth=auth(GoTom())).status_code == 200


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
