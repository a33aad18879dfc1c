"""Operates pages of `vhost report` in Chromium: `browser.py FOLDER`.

The folder has `one.html`, a run with thousands of requests; `back.html`, a run that returns to a
checkpoint; and `all.html`, several runs. Screenshots are written to the folder.
"""

import re
import shutil
import sys
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright


class Shown:
    """Page that records errors."""

    def __init__(self, browser: Browser, file: Path, scheme: str) -> None:
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": 1280, "height": 900}, offline=True
        )
        self.faults: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", lambda it: self.faults.append(f"console: {it.text}"))
        self.page.on("pageerror", lambda it: self.faults.append(f"error: {it}"))
        self.page.on("dialog", lambda it: self.faults.append(f"dialog: {it.message}"))
        url = file.as_uri()
        self.page.on("request", lambda it: it.url.startswith(url) or self.faults.append(it.url))
        self.page.goto(url)
        self.page.wait_for_selector("#main h1")

    def text(self, part: str) -> str:
        return self.page.locator(f"[data-id={part}]").inner_text()

    def range(self) -> tuple[float, float]:
        canvas = self.page.locator("canvas")
        values = [canvas.get_attribute(f"data-{end}") or "" for end in ("from", "to")]
        return float(values[0]), float(values[1])

    def drawn(self) -> int:
        return int(self.page.locator("canvas").get_attribute("data-drawn") or "-1")


def one_run(shown: Shown) -> None:
    page = shown.page
    assert "passed" in shown.text("verdict")
    # Text of firmware is not markup.
    assert page.locator("main b").count() == 0
    assert "</script><b>loud</b>\\u{1b}[2J" in shown.text("console")
    assert "8,004 requests" in shown.text("found"), shown.text("found")
    whole = shown.range()
    assert shown.drawn() == 8004
    canvas = page.locator("canvas")
    canvas.scroll_into_view_if_needed()

    # Buttons, keys and the wheel zoom; 0 shows the whole run.
    page.get_by_role("button", name="Zoom in").click()
    first = shown.range()
    assert abs((first[1] - first[0]) * 2 - whole[1]) < 1e-6
    canvas.focus()
    page.keyboard.press("+")
    second = shown.range()
    assert abs((second[1] - second[0]) * 4 - whole[1]) < 1e-6
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 600, box["y"] + 40)
    page.mouse.wheel(0, -100)
    page.wait_for_function(f"+document.querySelector('canvas').dataset.to < {second[1]}")
    assert 0 < shown.drawn() < 8004
    page.keyboard.press("Shift+ArrowLeft")
    before = shown.range()
    page.keyboard.press("Shift+ArrowRight")
    assert shown.range()[0] > before[0]
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 40, steps=4)
    page.mouse.up()
    assert shown.range()[0] > before[0]
    page.keyboard.press("0")
    assert shown.range() == whole

    # Keys select one request after the other, and announce it.
    page.keyboard.press("Home")
    assert shown.text("selected").startswith("core0: PRINT"), shown.text("selected")
    assert shown.range() != whole
    page.keyboard.press("ArrowDown")
    assert shown.text("selected").startswith("core1: PRINT")
    page.keyboard.press("End")
    assert "EXIT" in shown.text("selected")
    page.keyboard.press("ArrowLeft")
    assert "CALL" in shown.text("selected")
    assert "gives 0x7" in shown.text("selected")
    page.keyboard.press("Escape")
    assert shown.text("selected") == ""

    # A search lists its matches; a row of the list shows its request.
    page.get_by_label("Search").fill("call method")
    assert "2 of 8,004 requests" in shown.text("found"), shown.text("found")
    rows = page.locator("[data-id=requests] tr")
    assert rows.count() == 2
    assert rows.locator("mark").count() == 2
    rows.nth(1).get_by_role("button").click()
    assert shown.text("selected").startswith("core1: CALL")
    at = shown.range()
    assert at != whole
    assert rows.nth(1).get_attribute("aria-current") == "true"

    # A click shows the request at its place.
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    taken = re.search(r"taken in tick ([\d,]+)", shown.text("selected"))
    assert taken is not None
    tick = int(taken[1].replace(",", "")) + 1
    share = (tick - at[0]) / (at[1] - at[0])
    page.mouse.move(box["x"] + 110 + (box["width"] - 110) * share, box["y"] + 24 + 45)
    tip = page.locator("[data-id=tip]")
    tip.wait_for(state="visible")
    assert "CALL method" in tip.inner_text(), tip.inner_text()
    page.get_by_label("Search").fill("no such text")
    assert "0 of 8,004 requests" in shown.text("found")
    page.get_by_label("Search").fill("")
    page.get_by_label("Failed only").check()
    assert "0 of 8,004" in shown.text("found")
    page.get_by_label("Failed only").uncheck()
    page.get_by_role("button", name="Whole run").click()


def run_that_goes_back(shown: Shown) -> None:
    page = shown.page
    assert "18 requests" in shown.text("found"), shown.text("found")
    canvas = page.locator("canvas")
    assert canvas.get_attribute("data-lanes") == "core0, core1, ↺2 core0, ↺2 core1"
    assert shown.drawn() == 18

    # A call and an exit of each channel have no response, since the run goes back.
    page.get_by_label("Failed only").check()
    assert "4 of 18 requests" in shown.text("found"), shown.text("found")
    rows = page.locator("[data-id=requests] tr")
    assert all("not answered" in row for row in rows.all_inner_texts())
    rows.first.get_by_role("button").click()
    assert shown.text("selected").startswith("core0: CALL method"), shown.text("selected")
    assert "without an answer for" in shown.text("selected")
    page.get_by_label("Failed only").uncheck()

    # The same call after the restore has one, in a new lane.
    page.get_by_label("Search").fill("call method")
    assert "4 of 18 requests" in shown.text("found"), shown.text("found")
    rows.last.get_by_role("button").click()
    selected = shown.text("selected")
    assert selected.startswith("core1 (from the checkpoint of tick 2): CALL"), selected
    assert "gives 0x7" in selected
    assert "answered after" in selected
    page.get_by_label("Search").fill("")
    page.get_by_role("button", name="Whole run").click()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    taken = re.search(r"taken in tick (\d+)", selected)
    assert taken is not None
    start, end = shown.range()
    share = (int(taken[1]) + 1 - start) / (end - start)
    page.mouse.move(box["x"] + 110 + (box["width"] - 110) * share, box["y"] + 24 + 30 * 3 + 15)
    tip = page.locator("[data-id=tip]")
    tip.wait_for(state="visible")
    assert "core1 (from the checkpoint of tick 2): CALL" in tip.inner_text(), tip.inner_text()
    page.keyboard.press("Escape")


def names(page: Page) -> None:
    """Each control has a name, and heading levels skip none."""
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('main button, main input, main select, main canvas')]
            .filter(it => !(it.labels?.length || it.textContent.trim() || it.ariaLabel)).length"""
    )
    assert unnamed == 0
    levels = page.evaluate(
        "() => [...document.querySelectorAll('main h1, main h2, main h3')].map(it => +it.tagName[1])"
    )
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def several_runs(shown: Shown) -> None:
    page = shown.page
    assert "10 of 10 runs" in shown.text("shown")
    groups = page.locator("[data-id=groups] tr")
    assert groups.count() >= 5
    # A run without payloads has no replay command, and has a command that repeats it.
    named = groups.filter(has_text="no design")
    assert named.locator("code").all_inner_texts() == ["make sim SEED=17"]
    page.get_by_label("Filter").fill("waits")
    assert "1 of 10 runs" in shown.text("shown")

    # The properties of a run are columns, and the filter finds them.
    heads = page.locator("[data-id=runs]").locator("xpath=..").locator("th").all_inner_texts()
    assert heads[1:5] == ["Recording", "Run", "Seed", "Ticks"], heads
    for word in ("NIGHT-7", "4711"):
        page.get_by_label("Filter").fill(word)
        assert "1 of 10 runs" in shown.text("shown"), word
        cells = page.locator("[data-id=runs] tr").first.locator("td").all_inner_texts()
        assert cells[2:4] == ["night-7", "4711"], cells
    page.get_by_label("Filter").fill("")
    page.get_by_label("passed").uncheck()
    assert "8 of 10 runs" in shown.text("shown")
    page.get_by_label("Order").select_option("verdict")
    assert "unreadable" in page.locator("[data-id=runs] tr").first.inner_text()
    page.locator("[data-id=runs]").get_by_role("link", name="failed.trace").click()
    page.wait_for_selector("[data-id=failure]")
    assert "MEMSET" in shown.text("failure")
    page.get_by_role("link", name="All runs").click()
    page.wait_for_selector("[data-id=runs]")
    page.locator("[data-id=runs]").get_by_role("link", name="missing.trace").click()
    page.wait_for_selector("h1:has-text('missing.trace')")
    assert "No such file" in shown.text("verdict")
    page.go_back()
    page.wait_for_selector("[data-id=runs]")


def main() -> None:
    folder = Path(sys.argv[1])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for scheme in ("light", "dark"):
            for name, operate in (
                ("one", one_run),
                ("back", run_that_goes_back),
                ("all", several_runs),
            ):
                shown = Shown(browser, folder / f"{name}.html", scheme)
                names(shown.page)
                operate(shown)
                names(shown.page)
                shown.page.screenshot(path=folder / f"{name}-{scheme}.png", full_page=True)
                assert not shown.faults, shown.faults
        browser.close()


main()
