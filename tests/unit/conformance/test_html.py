"""The page that people open: what is on it, and that nothing on it can do harm. A browser test opens it for real."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from runtimebuilder.conformance.case import Level
from runtimebuilder.conformance.report.html import html_page
from runtimebuilder.conformance.report.result import CaseResult, Report, State
from tests.unit.conformance import reports

FULL = reports.report(
    reports.failed("RT-001-a", judgement=True),
    reports.failed("RT-002-b", Level.SHOULD),
    reports.failed(),
    reports.skipped(),
    reports.passed(),
    reports.errored(),
    reports.unsupported(),
)
VOID = {"meta", "input", "rect"}


class Page(HTMLParser):
    """Elements by id, the text of the whole, and whether tags close in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.texts: dict[str, str] = {}
        self._open: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert len(found) == len(attrs)
        self.tags.append((tag, found))
        identity = found.get("id")
        if identity is not None:
            self.ids.append(identity)
            self.texts[identity] = ""
        if tag not in VOID:
            self._open.append((tag, identity))
        if tag == "dd":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        for _, identity in self._open:
            if identity is not None:
                self.texts[identity] += data

    def links(self) -> list[str]:
        return [attributes.get("href") or "" for tag, attributes in self.tags if tag == "a"]


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_failure_shows_rule_expected_seen_wire_log_and_how_to_see_it_again() -> None:
    page = Page(html_page([FULL]))
    shown = words(page.texts["RT-005"])
    for expected in (
        "failed",
        "MUST",
        "60.1 s",
        "A runtime sets no timeout on next: the environment can be frozen for long.",
        "Rule runtimes-api",
        "Expected one GET next, still open after 65 s",
        "Seen closed by the runtime after 60.0 s",
        "✕ connection closed by peer 60.003",
        "Log cURL error 28: timed out",
        "Again runtimebuilder verify legacy-php:7 --env 'A=b c' --case RT-005 -v",
    ):
        assert expected in shown
    assert "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html" in page.links()
    assert "by judgement" in page.texts["RT-001"]
    assert "Reason the engine went away" in words(page.texts["RT-061"])


def test_the_overview_counts_by_section_and_level_with_judgements_apart() -> None:
    text = html_page([FULL])
    overview = text[text.index('<table class="overview">') : text.index("</table>")]
    rows = [words(re.sub("<[^>]*>", " ", row)).replace("\u2013", "-") for row in overview.split("<tr>")[1:]]
    assert rows == [
        "Section MUST MUST† SHOULD Not shown Seconds",
        "Finding the API and next F 0 of 1 F 0 of 1 f 0 of 1 - 180.3",
        "Response E 1 of 2 - - 2 1.5",
        "All F 1 of 3 F 0 of 1 f 0 of 1 2 181.8",
    ]


@pytest.mark.parametrize("page", [[FULL], [FULL, reports.report(reports.passed())], [reports.hostile()] * 8])
def test_ids_are_there_once_and_links_within_the_page_lead_somewhere(page: list[Report]) -> None:
    found = Page(html_page(page))
    assert len(found.ids) == len(set(found.ids))
    assert {link[1:] for link in found.links() if link.startswith("#")} <= set(found.ids)


def test_runs_stand_side_by_side_and_each_cell_leads_to_its_detail() -> None:
    other = reports.report(reports.passed("RT-005-long-poll-65s"), reports.passed())
    text = html_page([FULL, other])
    page = Page(text)
    assert words(page.texts["RT-005.A"]).startswith("A F failed 60.1 s legacy-php:7 Expected one GET next")
    assert words(page.texts["RT-005.B"]) == "B P passed 0.5 s legacy-php:7"
    cells = [attributes for tag, attributes in page.tags if tag == "a" and attributes.get("title")]
    assert [(each["href"], each["title"]) for each in cells if "RT-005" in (each["href"] or "")] == [
        ("#RT-005.A", "A: failed"),
        ("#RT-005.B", "B: passed"),
    ]
    row = next(attributes for tag, attributes in page.tags if tag == "tr" and "data-differs" in attributes)
    assert row["data-level"] == "MUST†"  # RT-001, which the second run does not have
    assert "not in this run" in text


def test_tests_of_suites_have_links_though_their_names_are_odd_or_the_same() -> None:
    names = ("SUITE-001-says hello", "SUITE-002-says-hello", "SUITE-003-says hello")
    made = [reports.suite_case(name, "javascript:alert(1)//a.json") for name in names]
    page = Page(html_page([reports.report(*[CaseResult(one, State.PASSED, 1.0) for one in made])]))
    assert {"says-hello", "says-hello..2", "says-hello..3"} <= set(page.ids)
    assert {link[1:] for link in page.links()} <= set(page.ids)  # and no other link, for a file is none


def test_a_run_without_an_end_is_told() -> None:
    text = html_page([Report(reports.HEADER, (reports.passed(),), None)])
    assert "not finished" in text
    assert "the run did not come to its end: 1 of 6 cases" in text


@pytest.mark.parametrize("page", [[reports.hostile()], [reports.hostile(), FULL]])
def test_hostile_text_stays_text_and_is_bounded(page: list[Report]) -> None:
    text = html_page(page)
    text.encode()  # no half of a surrogate pair is left
    assert len(text) < 400_000
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\ufffe\ufeff]", text)
    scripts = re.findall("<script[^>]*>", text)
    assert scripts == ["<script>"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert not [name for tag, attributes in Page(text).tags for name in attributes if name.startswith("on")]


def test_the_policy_allows_the_pages_own_script_and_style_and_nothing_else() -> None:
    text = html_page([FULL])
    policy = re.search('http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy.group(1).replace("&#39;", "'").split("; "))
    assert rules["default-src"] == "'none'"
    for tag in ("script", "style"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    loading = {"src", "srcset", "poster", "data", "background", "action"}
    assert not [name for _, attributes in Page(text).tags for name in attributes if name in loading]
    assert "url(" not in text
    assert "@import" not in text
