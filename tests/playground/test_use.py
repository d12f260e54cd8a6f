"""The page under the hands of everybody: by keyboard, by screen reader, on a phone, in light and dark."""

from __future__ import annotations

import pytest

from tests.playground.chromium import Page

LONG = (
    "GET /"
    + "unbroken" * 40
    + "?q="
    + "%C3%A9" * 60
    + " HTTP/1.1\nHost: "
    + "host." * 30
    + "example\nX: "
    + "y" * 300
    + "\n\n"
)

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
        .filter((one) => hasText(one) && one.checkVisibility() && contrast(one) < 4.5)
        .map((one) => `${one.tagName} ${one.id || one.className}: ${contrast(one).toFixed(2)}`);
}"""


def show(page: Page, example: str) -> None:
    page.run("(name) => document.querySelector(`[data-example=${name}]`).click()", example)
    page.run("() => document.querySelectorAll('details').forEach((details) => (details.open = true))")
    page.wait("() => document.getElementById('diagnosis').dataset.state !== 'searching'")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_fits_every_width_and_is_legible(page: Page, colours: str) -> None:
    for width in (320, 390, 1280):
        page.size(width, colours)
        for example in ("mistake", "gogrid", "curl"):
            show(page, example)
            for tab in ("http", "curl", "fields"):
                page.run("(tab) => document.getElementById(`tab-${tab}`).click()", tab)
                assert (
                    page.run("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
                )
            assert page.run(FAINT) == []
        show(page, "gotom")
        page.run("() => document.getElementById('tab-http').click()")
        page.paste("http", LONG)
        assert page.run("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_light_and_dark_follow_the_system(page: Page) -> None:
    backgrounds = []
    for colours in ("light", "dark"):
        page.size(1280, colours)
        backgrounds.append(page.run("() => getComputedStyle(document.body).backgroundColor"))
    assert len(set(backgrounds)) == 2


def focused(page: Page) -> str:
    found: str = page.run("() => document.activeElement.id")
    return found


def test_the_tabs_go_by_arrow_keys(page: Page) -> None:
    page.run("() => document.getElementById('tab-http').focus()")
    for key, tab in (
        ("ArrowRight", "curl"),
        ("ArrowRight", "fields"),
        ("ArrowRight", "http"),
        ("ArrowLeft", "fields"),
        ("Home", "http"),
        ("End", "fields"),
    ):
        page.press(key)
        assert focused(page) == f"tab-{tab}"
        selected = '() => [...document.querySelectorAll("[role=tab][aria-selected=true]")].map((one) => one.id)'
        assert page.run(selected) == [f"tab-{tab}"]
        shown = '() => [...document.querySelectorAll("[role=tabpanel]:not([hidden])")].map((panel) => panel.id)'
        assert page.run(shown) == [f"panel-{tab}"]
    page.press("Tab")
    assert focused(page) == "method"
    page.press("Tab", shift=True)
    assert focused(page) == "tab-fields"


def test_every_control_is_reached_by_the_tab_key_and_shows_that_it_has_the_focus(page: Page) -> None:
    page.run("() => document.body.focus()")
    reached, unmarked = [], []
    for _ in range(60):
        page.press("Tab")
        name, marked = page.run(
            """() => {
                const one = document.activeElement;
                const { outlineStyle, outlineWidth } = getComputedStyle(one);
                const name = one.id || one.dataset.copy || one.dataset.example || one.textContent;
                return [name, outlineStyle !== "none" && parseFloat(outlineWidth) >= 2];
            }"""
        )
        if name in reached or "undersign playground" in name:
            break
        reached.append(name)
        unmarked += [] if marked else [name]
    assert {"gotom", "tab-http", "http", "scheme", "key-id", "secret", "show-secret", "clock", "string"} <= set(reached)
    assert unmarked == []


def test_a_request_is_typed_and_verified_by_keyboard_alone(page: Page) -> None:
    page.run("() => document.getElementById('secret').focus()")
    page.command("Input.insertText", text="!")
    assert page.text("verdict-title") == "Invalid: mismatch"
    page.press("Tab")
    assert focused(page) == "show-secret"
    page.press("Enter")
    assert page.run("() => [document.getElementById('secret').type, document.activeElement.ariaPressed]") == [
        "text",
        "true",
    ]
    page.press(" ")
    assert page.run("() => [document.getElementById('secret').type, document.activeElement.ariaPressed]") == [
        "password",
        "false",
    ]


def test_every_control_has_a_name_for_a_screen_reader(page: Page) -> None:
    controls = {"button", "textbox", "combobox", "checkbox", "tab", "spinbutton"}
    for example in ("mistake", "gogrid"):
        show(page, example)
        page.run("() => document.querySelectorAll('[role=tabpanel]').forEach((panel) => (panel.hidden = false))")
        nodes = page.command("Accessibility.getFullAXTree")["nodes"]
        found = [node for node in nodes if node.get("role", {}).get("value") in controls]
        assert len(found) > 25
        assert [node for node in found if not node.get("name", {}).get("value")] == []
    page.command("Accessibility.disable")


def test_the_verdict_and_the_causes_are_announced(page: Page) -> None:
    live = """(id) => document.getElementById(id).closest("[role=status][aria-live=polite]") !== null"""
    assert all(page.run(live, element) for element in ("verdict-title", "verdict-detail", "diagnosis", "copied"))
    assert all(
        page.run("(id) => document.getElementById(id).getAttribute('role')", element) == "alert"
        for element in ("unreadable", "option-problem", "clock-problem")
    )


def test_what_is_to_be_used_elsewhere_is_copied(page: Page) -> None:
    page.grant("clipboardReadWrite", "clipboardSanitizedWrite")
    page.command("Emulation.setFocusEmulationEnabled", enabled=True)
    for name, copied in (
        ("signature", "zyNLF+OesgakKbzViRcucSRi8MM="),
        (
            "string",
            "GET\nd41d8cd98f00b204e9800998ecf8427e\napplication/json\n2024-11-07T10:21:15Z\n\n/app-api/campaign/26106",
        ),
    ):
        page.run("(name) => document.querySelector(`[data-copy=${name}]`).click()", name)
        page.wait("(name) => document.querySelector(`[data-copy=${name}]`).textContent === 'Copied'", name)
        assert page.run("() => navigator.clipboard.readText()") == copied
