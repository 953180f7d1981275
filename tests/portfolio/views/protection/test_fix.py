"""Mending a stop that failed: other prices, the same lot."""

from decimal import Decimal

import pytest
from django.test import Client

from exchange.services.lease import lease_take
from oco.models import OcoEvent, OcoGroup, UsedReview
from portfolio.models import Balance
from tests.factories import GroupFactory, LegFactory
from tests.portfolio.views.protection.steps import form, send, text

pytestmark = pytest.mark.usefixtures("bitcoin")
LEVELS = {"stop_price": "55000.00", "take_profit_price": "65000.00"}


@pytest.fixture
def failed(bitcoin):
    return GroupFactory(state="STOP_FAILED", reason="Refused: price too far (315).")


def at(group, step=""):
    return f"/protection/{group.pk}/fix/{step}"


def reviewed(client, group, **changes):
    return client.post(at(group, "review/"), {**LEVELS, **changes}, follow=True)


def test_it_says_why_and_offers_the_prices_as_they_are(alice, failed):
    page = alice.get(at(failed))
    assert "If BTC falls, no stop will sell it" in text(page)
    assert "price too far (315)" in text(page)
    assert form(page, at(failed, "review/"))["stop_price"] == "57000.00"


def test_a_stop_that_the_market_has_passed_is_proposed_anew(alice, failed):
    Balance.objects.filter(currency="BTC").update(price_usd=Decimal(50000))
    offered = form(alice.get(at(failed)), at(failed, "review/"))
    assert (offered["stop_price"], offered["take_profit_price"]) == ("47500.00", "55000.00")


def test_a_target_that_the_market_has_passed_is_proposed_anew(alice, failed):
    Balance.objects.filter(currency="BTC").update(price_usd=Decimal(67000))
    offered = form(alice.get(at(failed)), at(failed, "review/"))
    assert (offered["stop_price"], offered["take_profit_price"]) == ("57000.00", "73700.00")


def test_a_stop_too_near_for_a_pair_says_so_and_is_refused_beside_a_target(alice, failed):
    Balance.objects.filter(currency="BTC").update(price_usd=Decimal(57200))
    words = text(alice.get(at(failed)))
    assert "less than 0.50% below the current price: too close for a pair" in words
    beside = {"stop_price": "57000", "take_profit_price": "65000"}
    assert "cannot have a take profit" in text(reviewed(alice, failed, **beside))
    assert "Place a stop only" in text(reviewed(alice, failed, **beside | {"take_profit_price": ""}))


def test_the_target_that_still_works_is_cancelled_first(alice, failed):
    LegFactory(group=failed, order_role="TAKE_PROFIT", type="LIMIT", price=Decimal(66000), trigger_price=None)
    words = text(reviewed(alice, failed))
    assert words.index("Cancel the active take-profit order") < words.index(
        "Place an OCO pair to sell 0.01000 BTC"
    )
    assert "Between these steps there is briefly no take profit either." in words


def test_the_button_sets_the_prices_once(alice, failed):
    page = reviewed(alice, failed)
    answers = [send(alice, page, at(failed, "send/")) for _ in range(2)]
    assert {answer["Location"] for answer in answers} == {f"/protection/{failed.pk}/sent/"}
    assert OcoGroup.objects.get().stop_price == Decimal(55000)
    assert OcoEvent.objects.filter(reason_code="PRICES_CHANGED").count() == 1


def test_another_try_of_the_worker_meanwhile_changes_nothing(alice, failed):
    page = reviewed(alice, failed)
    OcoGroup.objects.update(generation=7)
    assert send(alice, page, at(failed, "send/")).status_code == 302


def test_a_group_that_recovered_meanwhile_is_left_alone(alice, failed):
    page = reviewed(alice, failed)
    OcoGroup.objects.update(state="ACTIVE")
    assert "has not failed" in text(send(alice, page, at(failed, "send/")))
    assert OcoGroup.objects.get().stop_price == Decimal(57000)


def test_while_a_cycle_is_at_work_one_presses_again(alice, failed, monkeypatch):
    monkeypatch.setattr("oco.services.groups.STEPS", 1)
    page = reviewed(alice, failed)
    lease = lease_take(purpose="cycle")
    assert "is updating this account right now" in text(send(alice, page, at(failed, "send/")))
    assert UsedReview.objects.count() == 0
    lease.release()
    assert send(alice, page, at(failed, "send/")).status_code == 302


def test_an_old_review_and_another_price_are_looked_at_again(alice, failed, clock):
    page = reviewed(alice, failed)
    Balance.objects.filter(currency="BTC").update(price_usd=Decimal(61000))
    again = send(alice, page, at(failed, "send/"))
    assert "0.5 %" in text(again)
    clock.shift(61)
    assert "60 seconds" in text(send(alice, again, at(failed, "send/")))
    assert OcoGroup.objects.get().stop_price == Decimal(57000)


def test_a_token_is_for_one_group(alice, failed):
    other = GroupFactory(state="STOP_FAILED")
    token = form(reviewed(alice, failed), at(failed, "send/"))["token"]
    alice.post(at(other, "send/"), {"token": token})
    assert not OcoGroup.objects.filter(stop_price=Decimal(55000)).exists()


def test_it_needs_a_login_and_its_own_form(failed):
    assert Client().get(at(failed))["Location"].startswith("/login/")
    assert Client().post(at(failed, "send/"))["Location"].startswith("/login/")
    assert Client(enforce_csrf_checks=True).post(at(failed, "review/")).status_code == 403
