"""The page is usable: on a phone and on a desk, in light and dark, by keyboard, and with a screen reader."""

from __future__ import annotations

import pytest

from tests.playground import chromium
from tests.playground.conftest import IDLE, Page
from tests.playground.test_answer import DATE, KEY_ID, RECIPE, SIGNED, UNSIGNED

LONG = (
    "GET /" + "a" * 300 + "?" + "b" * 300 + " HTTP/1.1\nHost: " + "host." * 30 + "example\nX: " + "y" * 300 + "\n"
    f"Content-Type: application/json\nDate: {DATE}\nAuthorization: gotom_app_api {'k' * 300}:{'s' * 26}==\n\n"
)
EXAMPLES = ("a mistake", "gogrid", "to be signed")

# Text whose contrast with what is behind it is under 4.5 to 1 (WCAG 2.2, success criterion 1.4.3).
FAINT = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const over = (colours) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const colour of colours) {
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
        }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    const light = (rgb) => {
        const [red, green, blue] = rgb.map((part) => linear(part / 255));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const hasText = (one) =>
        one.matches("input, textarea, select") ||
        [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const contrast = (one) => {
        const behind = [];
        for (let at = one; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
        const [text, ground] = [light(over([...behind, getComputedStyle(one).color])), light(over(behind))];
        return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    };
    return [...document.querySelectorAll("body *")]
        .filter((one) => hasText(one) && !one.disabled && one.checkVisibility() && contrast(one) < 4.5)
        .map((one) => `${one.tagName} ${one.id || one.className}: ${contrast(one).toFixed(2)}`);
}"""
# What stands out of the page on its right, and controls that are cut off.
TOO_WIDE = """() => [document.documentElement.scrollWidth - document.documentElement.clientWidth,
    ...[...document.querySelectorAll("button, input, select, textarea, .card, pre")]
        .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth)
        .map((one) => one.id || one.className)]"""


def show(page: Page, example: str) -> None:
    page.run("(name) => document.querySelector(`[data-example='${name}']`).click()", example)
    page.wait(IDLE)
    page.run("() => document.querySelectorAll('details').forEach((details) => (details.open = true))")


@pytest.mark.long
def test_it_fits_every_width(page: Page) -> None:
    for width in (320, 390, 768, 1280):
        page.size(width)
        for example in EXAMPLES:
            show(page, example)
            page.fill("own", "POST\nabc")
            page.wait(IDLE)
            assert page.run(TOO_WIDE) == [0], (width, example)
        page.fill("pasted", LONG)
        page.wait(IDLE)
        assert page.run(TOO_WIDE) == [0], width


@pytest.mark.long
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_is_legible(chromium_page: chromium.Page, colours: str) -> None:
    for width in (390, 1280):
        chromium_page.size(width, colours)
        for example in EXAMPLES:
            show(chromium_page, example)
            chromium_page.fill("own", "POST\nabc")
            chromium_page.wait(IDLE)
            assert chromium_page.run(FAINT) == []
        chromium_page.fill("pasted", "hello")
        chromium_page.wait(IDLE)
        assert chromium_page.run(FAINT) == []


def test_light_and_dark_follow_the_system(chromium_page: chromium.Page) -> None:
    backgrounds = []
    for colours in ("light", "dark"):
        chromium_page.size(1280, colours)
        backgrounds.append(chromium_page.run("() => getComputedStyle(document.body).backgroundColor"))
    assert len(set(backgrounds)) == 2


def test_verdict_and_cause_are_on_the_first_screen_of_a_phone(page: Page) -> None:
    page.size(390)
    for example in ("gotom", "a mistake", "to be signed"):
        show(page, example)
        page.run("() => scrollTo(0, 0)")
        ends = """() => [...document.querySelectorAll("#verdict-title, #verdict-detail, .causes code, #pasted")]
            .map((one) => one.getBoundingClientRect().top)"""
        for top in page.run(ends):
            assert 0 <= top < 700, example
    assert page.run("() => document.getElementById('pasted').getBoundingClientRect().top") < 500


def focused(page: Page) -> str:
    found: str = page.run("() => document.activeElement.id || document.activeElement.textContent")
    return found


@pytest.mark.long
def test_every_control_is_reached_by_the_tab_key_and_shows_that_it_has_the_focus(page: Page) -> None:
    show(page, "a mistake")
    page.run("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    wanted = page.run(
        """() => [...document.querySelectorAll("button, input, select, textarea, summary")]
            .filter((one) => one.checkVisibility() && !one.disabled).length"""
    )
    page.run("() => document.querySelector('h1').setAttribute('tabindex', '-1')")
    page.run("() => document.querySelector('h1').focus()")
    reached, unmarked = set(), []
    for _ in range(wanted + 5):
        page.press("Tab")
        name, marked = page.run(
            """() => {
                const one = document.activeElement;
                if (!one.matches("button, input, select, textarea, summary")) return ["", true];
                one.dataset.reached = one.dataset.reached ?? Math.random();
                const seen = one.id === "file" ? document.querySelector("label.button") : one;
                const { outlineStyle, outlineWidth } = getComputedStyle(seen);
                const marked = outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
                return [`${one.id || one.textContent} ${one.dataset.reached}`, marked];
            }"""
        )
        if name in reached:
            break
        if name:
            reached.add(name)
            unmarked += [] if marked else [name]
    assert len(reached) == wanted
    assert unmarked == []


def test_a_request_is_looked_at_by_keyboard_alone(page: Page) -> None:
    page.run("() => document.getElementById('pasted').focus()")
    page.paste("pasted", SIGNED)
    page.wait(IDLE)
    page.run("() => document.getElementById('secret').focus()")
    page.press("Tab")
    assert focused(page) == "show-secret"
    page.press("Enter")
    pressed = "() => [document.getElementById('secret').type, document.activeElement.getAttribute('aria-pressed')]"
    assert page.run(pressed) == ["text", "true"]
    page.press(" ")
    assert page.run(pressed) == ["password", "false"]
    page.press("Tab", shift=True)
    assert focused(page) == "secret"


def test_every_control_has_a_name_for_a_screen_reader(chromium_page: chromium.Page) -> None:
    controls = {"button", "textbox", "combobox", "checkbox", "spinbutton", "DisclosureTriangle"}
    for example in ("a mistake", "gogrid", "okx"):
        if example == "okx":
            chromium_page.fill("scheme", "okx")
            chromium_page.wait(IDLE)
        else:
            show(chromium_page, example)
        chromium_page.fill("clock", "at")
        chromium_page.wait(IDLE)
        nodes = chromium_page.command("Accessibility.getFullAXTree")["nodes"]
        found = [node for node in nodes if node.get("role", {}).get("value") in controls]
        assert len(found) > 20
        assert [node for node in found if not node.get("name", {}).get("value")] == []
    chromium_page.fill("scheme", " recipe")
    chromium_page.fill("recipe", RECIPE)
    chromium_page.fill("pasted", UNSIGNED)
    chromium_page.fill("key-id", KEY_ID)
    chromium_page.wait(IDLE)
    nodes = chromium_page.command("Accessibility.getFullAXTree")["nodes"]
    assert "Recipe, in TOML or JSON" in [node.get("name", {}).get("value") for node in nodes]
    chromium_page.command("Accessibility.disable")


def test_what_is_found_is_announced(page: Page) -> None:
    live = """(id) => document.getElementById(id).closest("[role=status][aria-live=polite]") !== null"""
    for element in ("verdict-title", "verdict-detail", "diagnosis", "read-as", "difference-sentence", "copied"):
        assert page.run(live, element), element
    problems = page.run("() => [...document.querySelectorAll('.problem')].map((one) => one.getAttribute('role'))")
    assert set(problems) == {"alert"}


def test_parts_are_told_apart_by_more_than_colour(page: Page) -> None:
    show(page, "gotom")
    names = page.run("() => [...document.querySelectorAll('.part-name')].map((one) => one.textContent)")
    assert len(names) == 6
    assert all(names)


def test_what_is_to_be_used_elsewhere_is_copied(chromium_page: chromium.Page) -> None:
    chromium_page.grant("clipboardReadWrite", "clipboardSanitizedWrite")
    chromium_page.command("Emulation.setFocusEmulationEnabled", enabled=True)
    show(chromium_page, "gotom")
    string = "GET\nd41d8cd98f00b204e9800998ecf8427e\napplication/json\n2024-11-07T10:21:15Z\n\n/app-api/campaign/26106"
    for name, copied in (("signature", "zyNLF+OesgakKbzViRcucSRi8MM="), ("string", string)):
        button = f"[data-copy={name}]"
        chromium_page.run("(button) => document.querySelector(button).click()", button)
        chromium_page.wait("(button) => document.querySelector(button).textContent === 'Copied'", button)
        assert chromium_page.run("() => navigator.clipboard.readText()") == copied
    chromium_page.run("() => document.querySelector('[data-copy=ticket]').click()")
    chromium_page.wait("() => document.querySelector('[data-copy=ticket]').textContent === 'Copied'")
    ticket = chromium_page.run("() => navigator.clipboard.readText()")
    assert "String to sign: 102 bytes" in ticket or "String to sign:" in ticket
    assert "zyNLF" not in ticket
