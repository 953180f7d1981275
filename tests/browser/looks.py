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
