"""Nothing leaves the page but its questions, to where it came from; and nothing of them stays. In real browsers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playground import chromium
from tests.playground.conftest import IDLE, Page, Served, serving
from tests.playground.test_answer import SECRET, SIGNED
from undersign.playground.server import PageServer

# Each way out is tried. What is thrown is refused at once; what is not is awaited, and must come to nothing.
WAYS_OUT = """(away) => {
    const element = (name, attributes) => Object.assign(document.createElement(name), attributes);
    const added = (made) => new Promise((done) => {
        made.onload = () => done("loaded");
        made.onerror = () => done("blocked");
        document.body.append(made);
    });
    const ways = {
        fetch: () => fetch(away, { mode: "no-cors" }).then(() => "sent", () => "blocked"),
        request: () => new Promise((done) => {
            const request = new XMLHttpRequest();
            request.onload = () => done("sent");
            request.onerror = () => done("blocked");
            request.open("GET", away);
            request.send();
        }),
        image: () => added(element("img", { src: away })),
        style: () => added(element("link", { rel: "stylesheet", href: away })),
        script: () => added(element("script", { src: away })),
        frame: () => new Promise((done) => {
            document.addEventListener("securitypolicyviolation", () => done("blocked"));
            document.body.append(element("iframe", { src: away }));
        }),
        socket: () => new Promise((done) => {
            const socket = new WebSocket(away.replace("http", "ws"));
            socket.onopen = () => done("sent");
            socket.onerror = () => done("blocked");
        }),
        events: () => new Promise((done) => {
            const source = new EventSource(away);
            source.onopen = () => done("sent");
            source.onerror = () => done("blocked");
        }),
        worker: () => new Promise((done) => {
            const worker = new Worker(away);
            worker.onerror = () => done("blocked");
            worker.onmessage = () => done("loaded");
        }),
        inline: () => {
            document.body.append(element("script", { textContent: "window.inlineRan = true" }));
            return window.inlineRan ? "ran" : "blocked";
        },
        handler: () => {
            const button = element("button");
            button.setAttribute("onclick", "window.handlerRan = true");
            button.click();
            return window.handlerRan ? "ran" : "blocked";
        },
        html: () => { document.body.innerHTML += "<b>made of text</b>"; return "made"; },
        evaluated: () => setTimeout("window.evaluated = true") && "ran",
    };
    const attempt = async ([name, way]) => {
        try {
            return [name, await way()];
        } catch {
            return [name, "blocked"];
        }
    };
    return Promise.all(Object.entries(ways).map(attempt)).then(Object.fromEntries);
}"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Served]:
    """Another server, with anything to load."""
    (tmp_path / "anything.html").write_text("<title>anything</title>")
    with serving(tmp_path, "anything.html") as found:
        yield found


@pytest.mark.parametrize("place", ["served", pytest.param("site", marks=pytest.mark.long)])
def test_no_way_out_is_open(
    apart: chromium.Page, elsewhere: Served, place: str, request: pytest.FixtureRequest
) -> None:
    apart.goto(request.getfixturevalue(place).address)
    apart.wait(IDLE)
    tried = apart.run(WAYS_OUT, elsewhere.address)
    assert {name: outcome for name, outcome in tried.items() if outcome != "blocked"} == {}
    assert len(tried) == 13
    assert elsewhere.asked == []


@pytest.mark.parametrize("place", ["served", pytest.param("site", marks=pytest.mark.long)])
def test_no_form_is_sent(apart: chromium.Page, elsewhere: Served, place: str, request: pytest.FixtureRequest) -> None:
    apart.goto(request.getfixturevalue(place).address)
    apart.wait(IDLE)
    reported = apart.run(
        """(away) => new Promise((done) => {
            document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
            const form = Object.assign(document.createElement("form"), { action: away, method: "post" });
            document.body.append(form);
            form.submit();
        })""",
        elsewhere.address,
    )
    assert reported == "form-action"
    assert elsewhere.asked == []


def in_worker(page: chromium.Page, script: str) -> Any:
    """What the expression comes to in the worker of the page."""
    page.command("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True)
    [session] = [event["params"]["sessionId"] for event in page.events if event["method"] == "Target.attachedToTarget"]
    answer = page.browser.command("Runtime.evaluate", session, expression=script, awaitPromise=True, returnByValue=True)
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    return answer["result"].get("value")


@pytest.mark.long
def test_python_in_the_page_has_no_way_out_either(apart: chromium.Page, site: Served, elsewhere: Served) -> None:
    apart.goto(site.address)
    apart.wait(IDLE)
    away = json.dumps(elsewhere.address)
    for attempt in (
        f"fetch({away}, {{ mode: 'no-cors' }})",
        f"new Promise((sent, blocked) => Object.assign(new WebSocket({away}), {{ onopen: sent, onerror: blocked }}))",
        f"import({away})",
        # By itself and not by the debugger, which may evaluate what it likes.
        "new Promise((ran, no) => setTimeout(() => { try { ran(eval('1')); } catch { no(); } }))",
    ):
        assert in_worker(apart, f"{attempt}.then(() => 'sent', () => 'blocked')") == "blocked", attempt
    assert elsewhere.asked == []


@pytest.mark.long
def test_once_it_is_loaded_the_page_of_the_documentation_asks_for_nothing(apart: chromium.Page, site: Served) -> None:
    site.asked.clear()
    apart.goto(site.address)
    apart.wait(IDLE)
    loaded = len(site.asked)
    assert loaded >= 12
    assert all(path.startswith("/some%20where/playground/") for path in site.asked if path != "/favicon.ico")
    for name in ("gotom", "a mistake", "gogrid", "to be signed"):
        apart.run("(name) => document.querySelector(`[data-example='${name}']`).click()", name)
        apart.wait(IDLE)
    assert apart.text("verdict-title") == "Not signed"
    assert site.asked[loaded:] == []
    assert apart.complaints() == []


def test_another_page_can_neither_read_nor_ask(apart: chromium.Page, served: PageServer, elsewhere: Served) -> None:
    """What a page on another origin tries, with the token even, in a real browser."""
    apart.goto(elsewhere.address)
    tried = apart.run(
        """async (address) => {
            const body = JSON.stringify({ action: "start" });
            const headers = { "Content-Type": "application/json" };
            const ways = {
                read: () => fetch(address),
                ask: () => fetch(address + "answer", { method: "POST", body, headers }),
                simple: () => fetch(address + "answer", { method: "POST", body }),
            };
            const found = {};
            for (const [name, way] of Object.entries(ways)) {
                found[name] = await way().then(() => "read", () => "blocked");
            }
            const blind = fetch(address + "answer", { method: "POST", body, mode: "no-cors" });
            found.blind = await blind.then((answer) => answer.type, () => "blocked");
            const frame = document.createElement("iframe");
            frame.src = address;
            document.body.append(frame);
            await new Promise((done) => (frame.onload = done));
            try { found.frame = frame.contentDocument?.title ?? "closed"; } catch { found.frame = "closed"; }
            return found;
        }""",
        served.address,
    )
    assert tried.pop("blind") in ("opaque", "blocked")  # it is sent, refused with 403, and not shown
    assert tried == {"read": "blocked", "ask": "blocked", "simple": "blocked", "frame": "closed"}


def test_a_name_that_is_pointed_here_is_not_served(browser: chromium.Chromium, served: PageServer) -> None:
    """DNS rebinding as a browser sees it: the name of an attacker with the address of this machine."""
    page = browser.open()
    try:
        page.goto(served.address.replace("127.0.0.1", "rebound.localhost"))
        assert "This host is not served here" in page.run("() => document.body.innerText")
    finally:
        page.close()


def test_nothing_is_kept(page: Page) -> None:
    page.fill("pasted", SIGNED)
    page.fill("secret", SECRET)
    page.wait(IDLE)
    kept = page.run(
        """async () => [localStorage.length, sessionStorage.length, document.cookie, location.search + location.hash,
            (await indexedDB.databases()).length, globalThis.caches ? (await caches.keys()).length : 0]"""
    )
    assert kept == [0, 0, "", "", 0, 0]
    fields = "() => [...document.querySelectorAll('input:not([type=file]), textarea')].map((one) => one.autocomplete)"
    assert set(page.run(fields)) == {"off"}
    assert page.run("(secret) => document.documentElement.outerHTML.includes(secret)", SECRET) is False


def test_the_page_says_where_what_is_typed_goes(page: Page) -> None:
    said = page.text("privacy")
    assert "and no further" in said or "nothing leaves it" in said


def test_the_secret_is_gone_when_one_comes_back(apart: chromium.Page, served: PageServer, elsewhere: Served) -> None:
    apart.goto(served.address)
    apart.wait(IDLE)
    apart.fill("secret", SECRET)
    apart.wait(IDLE)
    apart.goto(elsewhere.address)
    apart.run("() => void setTimeout(() => history.back())")
    apart.wait(IDLE)
    assert apart.value("secret") == ""


def test_a_server_that_has_ended_is_told(apart: chromium.Page) -> None:
    with PageServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        apart.goto(server.address)
        apart.wait(IDLE)
        server.shutdown()
    thread.join()
    apart.fill("pasted", SIGNED)
    apart.wait(IDLE)
    assert "start “undersign inspect” again" in apart.text("fault")
