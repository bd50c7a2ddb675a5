"""The pages of reports in a real browser: wide and narrow, light and dark, by keyboard, on paper, without scripts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from runtimebuilder.conformance.case import Level
from runtimebuilder.conformance.report.files import write_files
from runtimebuilder.conformance.report.result import CaseResult, Evidence, Report
from tests.browser.chromium import Browser, browser
from tests.unit.conformance import reports

WIRE = (
    "[1] → POST /2018-06-01/runtime/invocation/8a0c7d1e-31de-4f3c-9b3c-0a4b2b5d9b11/response  6291556 bytes   0.344\n"
    '    {"do":"echo","value":' + "1" * 200 + "}\n· the process ended with exit status 1"
)


def result(made: CaseResult) -> CaseResult:
    """With a wire and a log that are wider than any window."""
    return dataclasses.replace(made, evidence=Evidence(WIRE, "PHP Fatal error: " + "x" * 500))


ONE = reports.report(
    result(reports.failed("RT-001-endpoint-from-env", judgement=True)),
    result(reports.failed("RT-002-endpoint-missing", Level.SHOULD)),
    result(reports.failed("RT-005-a-name-that-is-much-longer-than-what-a-telephone-shows-on-one-line")),
    reports.known("RT-006-long-poll-130s", "issue 7"),
    reports.passed(),
    result(reports.errored()),
    reports.unsupported(),
    reports.skipped("RT-165-slow-load"),
)
OTHER = reports.report(reports.passed("RT-001-endpoint-from-env"), reports.passed())
LONG = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/platform/images/legacy-php-with-a-long-name:2026-11-25"
NAMED = dataclasses.replace(ONE, header=dataclasses.replace(ONE.header, subject=LONG))
KILLED = Report(NAMED.header, ONE.results[:3], None)

PAGES = {
    "one": [ONE],
    "hostile": [reports.hostile()],
    "two": [NAMED, OTHER],
    "nine": [ONE, OTHER, KILLED, *[reports.hostile()] * 6],
}

# The ratio that WCAG 2 asks of text (4.5), for every element that shows text of its own.
FAINT = """
(() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const part = (v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = numbers(getComputedStyle(one).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const faint = new Set();
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.add(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return [...faint];
})()
"""


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pages")
    urls = {}
    for name, runs in PAGES.items():
        path = folder / f"{name}.html"
        write_files([path], runs, "--report")
        urls[name] = path.as_uri()
    return urls


def left(window: Browser) -> list[str]:
    """The cases that the filter leaves."""
    found: list[str] = window.run(
        "[...document.querySelectorAll('details:not([hidden])')].map((one) => one.id)"
    )
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_it_fits_asks_for_nothing_and_has_no_complaint(
    window: Browser, pages: dict[str, str], name: str, width: int, dark: bool, request: pytest.FixtureRequest
) -> None:
    window.go(pages[name], width=width, dark=dark)
    window.run("document.getElementById('open-all').click()")
    shots = request.config.rootpath / ".pytest_cache" / "pages"
    shots.mkdir(parents=True, exist_ok=True)
    window.screenshot(shots / f"{name}-{width}-{'dark' if dark else 'light'}.png")  # to be looked at
    assert window.run("innerWidth") == width
    assert window.run("document.documentElement.scrollWidth") <= width
    assert window.run(FAINT) == []
    assert window.requests == [pages[name]]
    assert window.complaints == []


def test_the_filter_leaves_what_was_asked_for(window: Browser, pages: dict[str, str]) -> None:
    window.go(pages["one"], width=1280)
    assert len(left(window)) == len(ONE.results)
    window.run("document.querySelector('[name=state][value=failed]').click()")
    assert left(window) == ["RT-001", "RT-005"]
    window.run("document.querySelector('[name=level][value=MUST]').click()")
    assert left(window) == ["RT-005"]
    assert window.run("document.getElementById('found').textContent") == f"1 of {len(ONE.results)} cases"
    assert window.run("document.querySelectorAll('section.cases:not([hidden])').length") == 1
    window.run("words.value = 'no such case'; words.dispatchEvent(new Event('input', {bubbles: true}))")
    assert left(window) == []
    assert window.run("document.getElementById('nothing').checkVisibility()")
    window.run("document.querySelector('[type=reset]').click(); new Promise((done) => setTimeout(done, 50))")
    assert len(left(window)) == len(ONE.results)


def test_the_table_is_filtered_too_and_its_cells_open_what_they_lead_to(
    window: Browser, pages: dict[str, str]
) -> None:
    window.go(pages["two"], width=1280)
    window.run("document.querySelector('[name=differs]').click()")
    rows = "[...document.querySelectorAll('tr[data-kinds]:not([hidden])')].length"
    assert window.run(rows) == len(left(window)) == 7
    window.run(
        "document.querySelector('.matrix a[href=\"#RT-001.A\"]').click(); new Promise((done) => setTimeout(done, 50))"
    )
    assert window.run("document.getElementById('RT-001').open")
    place = window.run("document.getElementById('RT-001.A').getBoundingClientRect().top")
    assert 0 <= place < 900


def test_a_link_to_a_case_opens_it(window: Browser, pages: dict[str, str]) -> None:
    window.go(pages["one"] + "#RT-060", width=360)
    assert window.run("document.getElementById('RT-060').open")
    window.run("document.querySelector('[name=state][value=failed]').click()")
    window.run("location.hash = '#RT-061'; new Promise((done) => setTimeout(done, 50))")
    assert window.run("document.getElementById('RT-061').checkVisibility()")


def test_the_keyboard_is_enough(window: Browser, pages: dict[str, str]) -> None:
    window.go(pages["one"], width=1280)
    window.press("/", "/", 191)
    assert window.run("document.activeElement.id") == "words"
    window.run("document.querySelector('#RT-060 summary').focus()")
    window.press("Enter", "\r", 13)
    assert window.run("document.getElementById('RT-060').open")


def test_what_is_printed_has_no_controls_and_what_failed_is_open(
    window: Browser, pages: dict[str, str]
) -> None:
    window.go(pages["one"], width=800, dark=True, media="print")
    assert not window.run("document.getElementById('filter').checkVisibility()")
    assert window.run("document.querySelector('#RT-005 .wire').checkVisibility()")
    assert window.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_without_scripts_everything_is_there(window: Browser, pages: dict[str, str]) -> None:
    window.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        window.go(pages["one"], width=1280)
    finally:
        window.call("Emulation.setScriptExecutionDisabled", value=False)
    assert not window.run("document.getElementById('filter').checkVisibility()")
    assert window.run("document.querySelectorAll('details').length") == len(ONE.results)
