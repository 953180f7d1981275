"""The watchlist in a browser: changed with and without script; the signals beside it."""

import pytest


@pytest.mark.parametrize("script", [True, False])
def test_to_add_move_note_and_remove(open_page, signed_in, script):
    page = open_page("/watchlist/", storage_state=signed_in, java_script_enabled=script)
    before = page.locator("#watchlist tr[data-instrument]").count()
    page.get_by_label("Instrument").fill("doge/usd")
    page.get_by_label("Note", exact=True).fill("for fun")
    page.get_by_role("button", name="Add").click()
    page.get_by_text("DOGE/USD added to the watchlist.").wait_for()
    assert page.locator("#watchlist tr").last.inner_text().endswith("for fun")
    page.get_by_role("button", name="Move DOGE/USD up").click()
    page.get_by_label("Note on DOGE/USD").fill("wait")
    page.get_by_label("Note on DOGE/USD").press("Enter")
    page.locator("#watchlist td", has_text="wait").wait_for()
    page.get_by_role("button", name="Remove DOGE/USD").click()
    page.get_by_text("DOGE/USD removed from the watchlist.").wait_for()
    assert page.locator("#watchlist tr[data-instrument]").count() == before
    assert page.monitor.problems == []


def test_what_cannot_be_traded_is_refused_beside_the_field(open_page, signed_in):
    page = open_page("/watchlist/", storage_state=signed_in)
    page.get_by_label("Instrument").fill("NO_SUCH")
    page.get_by_role("button", name="Add").click()
    page.get_by_text("NO_SUCH is not a spot pair").wait_for()
    assert page.get_by_label("Instrument").input_value() == "NO_SUCH"
    assert page.get_by_label("Instrument").get_attribute("aria-invalid") == "true"


def test_the_signals_come_by_themselves_and_tell_their_indicators(open_page):
    page = open_page("/signals/")
    page.get_by_text("Indicators").first.wait_for()
    page.get_by_text("Indicators").first.click()
    assert page.get_by_text("RSI, 14 candles").first.is_visible()
    assert page.monitor.problems == []
