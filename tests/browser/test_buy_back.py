"""A sale by hand that the policy buys back, seen on the first page and on its own."""

import pytest

from tests.browser.looks import axe_violations, horizontal_overflow

WIDTHS = [320, 390, 768, 1280, 1440]


@pytest.fixture(scope="module")
def buyback(desk):
    """Its page, once its orders rest. The policy is off again, so that no other test buys anything back."""
    desk.installation.write(
        "UPDATE oco_policies SET enabled = 1, enabled_since = '2026-01-01 00:00:00' WHERE side = 'SELL'"
    )
    sale = desk.order(instrument_name="BTC_USD", side="SELL", type="MARKET", quantity="0.01")
    for _ in range(2):  # what was sold within the doubt of the two clocks is taken up one cycle later
        desk.sync()
    desk.installation.write("UPDATE oco_policies SET enabled = 0, enabled_since = NULL WHERE side = 'SELL'")
    groups = desk.state()["oco_groups"]  # the account trades by itself as well
    (group,) = [one for one in groups if one["entry_order_id"] == sale["result"]["order_id"]]
    return f"/protection/{group['oco_group_id']}/"


@pytest.mark.parametrize(
    ("script", "theme"),
    [(True, "light"), (True, "dark"), (False, "light"), pytest.param(False, "dark", marks=pytest.mark.soak)],
)
def test_it_is_on_the_first_page(open_page, buyback, theme, script):
    page = open_page("/", color_scheme=theme, java_script_enabled=script)
    row = page.locator("#buybacks [role=row]", has=page.locator(f'a[href="{buyback}"]'))
    assert row.locator(".ladder .mirrored").count() == 1
    if script:
        assert axe_violations(page) == []
    assert page.monitor.problems == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert (width, horizontal_overflow(page)) == (width, 0)


@pytest.mark.parametrize("step", ["", "cancel/"])
def test_its_pages_break_no_rule(open_page, signed_in, buyback, step):
    page = open_page(buyback + step, storage_state=signed_in, width=390)
    assert axe_violations(page) == []
    assert page.monitor.problems == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert (width, horizontal_overflow(page)) == (width, 0)
