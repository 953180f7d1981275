"""What is asked of every page: nothing foreign, no violation, no error, no sideways scrolling, axe content."""

from functools import cache
from pathlib import Path

import axe_playwright_python

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Swagger UI's own markup is not ours to correct.
# One rule of WCAG 2.1 A is still marked as an experiment: a name contains the words that are seen.
ASK = """tags => axe.run({exclude: ['#swagger-ui']}, {
    runOnly: tags, resultTypes: ['violations'], rules: {'label-content-name-mismatch': {enabled: true}},
})"""

# Figures that are on two lines.
BROKEN_FIGURES = """() => {
    const figure = /[−+<]*\\$?\\d[\\d.,]*(?:[  ](?:[A-Z][A-Z0-9]{1,11}\\b|%)|%)?/g, found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
    const seen = (node) => {
        const box = node.parentElement.getBoundingClientRect();
        return box.width > 1 && !node.parentElement.closest('code, script, style, option, .vh, svg');
    };
    const check = (text, begin, end) => {
        const tops = [...range.getClientRects()].filter((one) => one.width > .5).map((one) => one.top);
        if (tops.some((top) => Math.abs(top - tops[0]) > 6)) found.push(text);
    };
    while (walker.nextNode()) {
        const node = walker.currentNode;
        if (!seen(node)) continue;
        for (const match of node.data.matchAll(figure)) {
            range.setStart(node, match.index);
            range.setEnd(node, match.index + match[0].length);
            check(match[0]);
        }
    }
    for (const figure of document.querySelectorAll('data')) {
        const unit = figure.nextSibling;
        range.selectNodeContents(figure);
        const named = unit && unit.nodeType === 3 && /^[  ](?:[A-Z][A-Z0-9]{1,11})\\b/.exec(unit.data);
        if (named) range.setEnd(unit, named[0].length);
        if (figure.getBoundingClientRect().width > 1) check(figure.textContent + (named ? named[0] : ''));
    }
    return found;
}"""
# What can be pressed or filled in and is given a name that is not its text.
NAMED = """() => [...document.querySelectorAll('a, button, summary, [role=button], input, select, textarea')]
    .filter((one) => one.hasAttribute('aria-label')).map((one) => one.outerHTML.slice(0, 120))"""


@cache
def axe_script():
    return AXE.read_text(encoding="utf-8")


class PageMonitor:
    """Everything a page said that it should not have said, while it was open."""

    def __init__(self, page, address):
        self.page, self.problems = page, []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", lambda request: self._request(request, address))

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text}")

    def _request(self, request, address):
        if not request.url.startswith((address, "data:", "blob:")):
            self.problems.append(f"left the desk: {request.url}")


def horizontal_overflow(page):
    """How many pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def axe_violations(page):
    """Each in one line. The script goes in past the policy of the page, as a debugger does."""
    page.evaluate(axe_script())
    found = page.evaluate(ASK, TAGS)["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]
