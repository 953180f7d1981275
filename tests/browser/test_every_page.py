"""What holds for every page, whoever looks at it and however."""

import pytest

from tests.browser.looks import axe_violations, horizontal_overflow

PAGES = ["/", "/protection/", "/orders/", "/portfolio/", "/signals/", "/watchlist/", "/history/", "/alerts/"]
PAGES += ["/login/", "/sudo/", "/audit/", "/api/docs/", "/admin/", "/admin/exchange/exchangeorder/"]
OURS = [path for path in PAGES if not path.startswith("/admin/")]
WIDTHS = [320, 390, 768, 1280, 1440]


@pytest.mark.parametrize("path", PAGES)
def test_it_breaks_no_rule_of_ours_and_asks_nobody_else(open_page, signed_in, path):
    page = open_page(path, storage_state=signed_in)
    page.wait_for_load_state("networkidle")
    assert page.monitor.problems == []


@pytest.mark.parametrize("path", OURS)
def test_no_width_scrolls_sideways(open_page, signed_in, path):
    page = open_page(path, storage_state=signed_in)
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        found[width] = horizontal_overflow(page)
    assert found == dict.fromkeys(WIDTHS, 0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("path", OURS)
def test_axe_finds_nothing(open_page, signed_in, path, width, theme):
    page = open_page(path, width=width, color_scheme=theme, storage_state=signed_in)
    assert axe_violations(page) == []
