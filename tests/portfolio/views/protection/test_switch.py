"""The kill switch as a page."""

import pytest
from django.test import Client

from exchange.models import TradingSwitch
from tests.factories import GroupFactory, SyncRunFactory, TradingSwitchFactory
from tests.portfolio.views.protection.steps import form, text

pytestmark = pytest.mark.django_db
ON = "/switch/on/"


def is_off():
    row = TradingSwitch.objects.first()
    return row is not None and row.is_off


def token(answer):
    return {"token": form(answer, "")["token"]}


def test_one_looks_and_presses_once(alice):
    GroupFactory()
    GroupFactory(state="PENDING")
    words = text(alice.get("/switch/"))
    for part in (
        "Switch off trading?",
        "1 protection open on the exchange stays active",
        "1 protection not placed yet stays on hold",
    ):
        assert part in words
    answer = alice.post("/switch/", {"reason": " on holiday "}, follow=True)
    row = TradingSwitch.objects.get()
    assert (row.is_off, row.changed_by, row.reason) == (True, "alice", "on holiday")
    assert "Trading is off" in text(answer)


def test_switching_off_is_never_too_late_and_never_twice_harmful(alice, clock):
    alice.get("/switch/")
    clock.shift(3600)
    alice.post("/switch/")
    alice.post("/switch/")
    assert is_off()


def test_what_the_settings_hold_off_has_no_button(alice, settings):
    settings.TRADING_ENABLED = False
    answer = alice.get("/switch/")
    words, page = text(answer), answer.content.decode()
    assert "Trading is off in the settings" in words
    assert "Why trading is off" in page
    assert "Switch on trading" not in page
    assert "Switch off trading" not in page
    assert "pill ok" not in page


def test_it_says_who_when_and_why(alice):
    TradingSwitchFactory()
    words = text(alice.get("/switch/"))
    for part in ("Switched off by alice", "12:00:00", "Reason on holiday", ("You can still cancel orders")):
        assert part in words


def test_on_again_is_reviewed_with_who_and_what_follows(alice):
    TradingSwitchFactory(changed_by="bob", reason="")
    GroupFactory(state="STOP_FAILED")
    words = text(alice.get(ON))
    for part in ("Switched off by bob", "No reason given", "1 protection on hold is placed"):
        assert part in words
    assert is_off()


def test_on_again_is_one_press_after_that(alice):
    TradingSwitchFactory()
    page = alice.get(ON)
    for _ in range(2):
        assert alice.post(ON, token(page))["Location"] == "/switch/"
    row = TradingSwitch.objects.get()
    assert (row.is_off, row.changed_by) == (False, "alice")
    assert alice.get(ON)["Location"] == "/switch/"


def test_on_again_needs_the_password(alice, clock):
    TradingSwitchFactory()
    page = alice.get(ON)
    clock.shift(301)
    assert alice.get(ON)["Location"].startswith("/sudo/?next=")
    assert 'name="password"' in alice.post(ON, token(page)).content.decode()
    assert is_off()


def test_on_again_not_on_an_old_review(alice, clock):
    TradingSwitchFactory()
    page = alice.get(ON)
    clock.shift(61)
    assert "60 seconds" in text(alice.post(ON, token(page), follow=True))
    assert is_off()


def test_on_again_not_after_somebody_else_turned_it(alice, clock):
    TradingSwitchFactory()
    page = alice.get(ON)
    clock.shift(1)
    Client.post(alice, "/switch/", {"reason": "really"})
    assert "have changed since your review" in text(alice.post(ON, token(page), follow=True))
    assert is_off()


def test_a_token_that_was_used_does_not_turn_it_a_second_time(alice):
    TradingSwitchFactory()
    page = alice.get(ON)
    alice.post(ON, token(page))
    alice.post("/switch/")
    alice.post(ON, token(page))
    assert is_off()


@pytest.mark.parametrize("given", [{}, {"token": "made-up"}])
def test_without_its_token_it_stays_off(alice, given):
    TradingSwitchFactory()
    assert "This review is not valid" in text(alice.post(ON, given, follow=True))
    assert is_off()


def test_what_the_settings_switched_off_no_page_switches_on(alice, settings):
    settings.TRADING_ENABLED = False
    assert "It can only be changed there." in text(alice.get("/switch/"))


def test_it_needs_a_login_and_its_own_form():
    TradingSwitchFactory()
    SyncRunFactory()
    for address in ("/switch/", ON):
        assert Client().get(address)["Location"].startswith("/login/")
        assert Client().post(address)["Location"].startswith("/login/")
        assert Client(enforce_csrf_checks=True).post(address).status_code == 403
    assert is_off()
