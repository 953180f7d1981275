"""Protection in a browser: an old position protected through review, its chart, the pair cancelled."""

import time

import pytest

from tests.browser.looks import axe_violations, horizontal_overflow

WIDTHS = [320, 390, 768, 1280, 1440]


def first_bare(desk):
    """A pair of which something is free."""
    held = {row["currency"]: row for row in desk.state()["portfolio"]}
    bare = [row["instrument_name"] for row in desk.state()["unprotected"] if "You held this" in row["reason"]]
    return max(bare, key=lambda name: float(held[name.split("_")[0]]["unprotected_quantity"]))


def protected(page, desk, name):
    """Set, review, result; then the group once the worker has placed it."""
    page.goto(f"{desk.address}/protection/protect/{name}/")
    page.get_by_role("button", name="Review, nothing is sent yet").click()
    page.get_by_role("button", name="Simulate orders").click()
    page.wait_for_url("**/sent/")
    group = page.url.removesuffix("sent/")
    for _ in range(60):
        page.goto(f"{group}sent/")
        if page.get_by_text("The position is protected.").count():
            return group
        time.sleep(0.5)
    raise AssertionError(page.locator("main").inner_text())


@pytest.fixture(scope="session")
def protection(desk, chromium, fresh_login):
    """One that rests on the exchange, asked for without script."""
    context = chromium.new_context(storage_state=fresh_login(), java_script_enabled=False)
    group = protected(context.new_page(), desk, first_bare(desk))
    context.close()
    return group.removeprefix(desk.address)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_page_draws_the_price_and_breaks_no_rule(open_page, signed_in, protection, theme):
    page = open_page(protection, storage_state=signed_in, color_scheme=theme)
    page.locator("#price-chart canvas").first.wait_for()
    assert axe_violations(page) == []
    assert page.monitor.problems == []


def test_no_step_scrolls_sideways_or_is_out_of_reach(open_page, signed_in, protection):
    for step in ("", "cancel/", "sent/"):
        page = open_page(protection + step, storage_state=signed_in, width=390)
        assert axe_violations(page) == []
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert (step, width, horizontal_overflow(page)) == (step, width, 0)


def test_the_review_begins_at_its_heading_and_not_at_its_button(open_page, signed_in, desk, protection):
    page = open_page(f"/protection/protect/{first_bare(desk)}/", storage_state=signed_in)
    page.get_by_label("Stop price").press("Enter")
    page.get_by_role("button", name="Simulate orders").wait_for()
    assert page.evaluate("document.activeElement.tagName") == "H1"
    assert axe_violations(page) == []
    assert page.monitor.problems == []


@pytest.mark.parametrize("script", [True, False])
def test_a_pair_is_cancelled_and_the_switch_turned(open_page, signed_in, desk, protection, script):
    page = open_page(f"{protection}cancel/", storage_state=signed_in, java_script_enabled=script)
    if page.get_by_role("button", name="Cancel pair").count():
        page.get_by_role("button", name="Cancel pair").click()
        page.get_by_role("heading", name="Removal requested").wait_for()
    page.goto(f"{desk.address}/switch/")
    page.locator("main").get_by_role("button", name="Switch off trading").click()
    page.get_by_role("heading", name="Trading is off").wait_for()
    page.locator("main section").get_by_role("link", name="Switch on trading…").click()
    page.locator("main").get_by_role("button", name="Switch on trading").click()
    page.get_by_role("heading", name="Switch off trading?").wait_for()
    assert page.monitor.problems == []
