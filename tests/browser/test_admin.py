"""The admin in a browser: no rule of ours broken, nothing that axe finds, the mode on top of every page."""

import re

import pytest

from tests.browser.looks import NAMED, axe_violations, horizontal_overflow
from tests.browser.test_every_page import LOOKS, OTHER_LOOKS

ROWS = {
    "order": "/admin/exchange/exchangeorder/",
    "group": "/admin/oco/ocogroup/",
    "policy": "/admin/oco/protectionpolicy/",
}
LISTS = ["/admin/", *ROWS.values(), "/admin/exchange/auditentry/", "/admin/exchange/tradingswitch/"]
FORMS = ["/admin/portfolio/apitoken/add/", "/admin/portfolio/balance/BTC/protect/"]


@pytest.fixture(scope="module")
def group(desk):
    """A position that was bought and has its stop."""
    bought = {"instrument_name": "BTC_USD", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    desk.order(**bought)
    desk.sync()
    assert desk.state()["oco_groups"]


@pytest.fixture(params=[LOOKS, pytest.param(OTHER_LOOKS, marks=pytest.mark.soak)], ids=["looks", "others"])
def watched(request):
    """What it said, and what axe finds on it by day and by night, wide and narrow."""

    def watch(page):
        page.wait_for_load_state("networkidle")
        said, found, overflow = list(page.monitor.problems), [], []
        for width, theme in request.param:
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(300)  # the admin's buttons fade from one theme into the other
            found += axe_violations(page)
            overflow.append(horizontal_overflow(page))
        return said, found, overflow

    return watch


@pytest.mark.parametrize("path", [*LISTS, *FORMS])
def test_a_page_of_the_admin_is_sound(open_page, signed_in, watched, path):
    page = open_page(path, storage_state=signed_in)
    assert page.locator(".mode").inner_text().startswith("DRY RUN")
    assert watched(page) == ([], [], [0, 0])
    ours = [html for html in page.evaluate(NAMED) if not re.search("nav-sidebar|admin", html)]
    assert [html for html in ours if re.search("href|<button|<summary", html)] == []


@pytest.mark.parametrize("what", ROWS)
def test_the_page_of_one_row_is_sound(open_page, signed_in, watched, group, what):
    page = open_page(ROWS[what], storage_state=signed_in)
    page.locator("#result_list tbody th a").first.click()
    page.wait_for_url(re.compile("/change/"))
    assert watched(page) == ([], [], [0, 0])


def test_its_own_login_is_sound(open_page, watched):
    page = open_page("/admin/login/")
    assert page.locator(".mode").inner_text().startswith("DRY RUN")
    assert watched(page) == ([], [], [0, 0])


def test_from_a_group_to_the_desk_and_back(open_page, signed_in, group):
    page = open_page(ROWS["group"], storage_state=signed_in)
    page.locator("#result_list tbody th a").first.click()
    page.get_by_role("link", name="View in Exchange Desk").click()
    page.wait_for_url(re.compile("/protection/"))
    page.get_by_role("link", name="View in admin").click()
    page.wait_for_url(re.compile("/admin/oco/ocogroup/.*/change/"))


def test_the_theme_of_the_desk_is_the_one_of_the_admin(open_page, signed_in, desk):
    page = open_page("/admin/", color_scheme="light", storage_state=signed_in)
    bright = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.context.add_cookies([{"name": "theme", "value": "dark", "url": desk.address}])
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != bright


@pytest.mark.parametrize("path", [ROWS["order"], "/admin/exchange/syncrun/"])
def test_the_filters_of_a_list_are_folded_on_a_phone_and_open_beside_it(open_page, signed_in, path):
    page = open_page(path, width=390, storage_state=signed_in, locale="es-ES")
    choices, fold = page.locator("#changelist-filter li a"), page.locator(".list-filters > summary")
    assert fold.inner_text() == "Filtrar"
    assert not choices.first.is_visible()
    for width in (320, 390, 767):
        page.set_viewport_size({"width": width, "height": 844})
        assert horizontal_overflow(page) == 0
    fold.click()
    assert choices.first.is_visible()
    page.set_viewport_size({"width": 320, "height": 844})
    assert horizontal_overflow(page) == 0
    choices.last.click()
    page.wait_for_load_state("networkidle")
    assert page.locator(".list-filters-clear a").is_visible()
    page.set_viewport_size({"width": 1440, "height": 900})
    assert choices.first.is_visible()
    assert not fold.is_visible()
    assert not page.locator(".list-filters-clear").is_visible()
