"""Protecting a position: Set, Review, Result."""

from decimal import Decimal

import pytest
from django.test import Client
from django_q.models import OrmQ

from exchange.models import SyncRun
from oco.models import OcoGroup, UsedReview
from portfolio.models import Balance
from portfolio.views.protection.protect import ProtectWizard
from tests.factories import (
    BalanceFactory,
    GroupFactory,
    InstrumentFactory,
    OrderFactory,
    TradingSwitchFactory,
    UserFactory,
)
from tests.portfolio.views.protection.steps import (
    PROTECTION_REQUEST,
    REVIEW,
    SEND,
    SET,
    address,
    form,
    post_review,
    send,
    text,
    token_of,
)

pytestmark = pytest.mark.usefixtures("bitcoin")


def pressed(client, answer):
    """Sends, and follows to the result."""
    return client.get(send(client, answer)["Location"])


def test_the_form_is_filled_in_by_the_policy(alice):
    page = alice.get(SET)
    assert {name: form(page, REVIEW)[name] for name in PROTECTION_REQUEST} == PROTECTION_REQUEST
    for words in ("57,000.00 −5.0%", "66,000.00 +10.0%", "−$328.50", "+$583.50", "3.28%", "60,000.00 USD"):
        assert words in text(page)


def test_what_one_goes_back_with_is_weighed_anew(alice):
    page = alice.get(address(SET, quantity="0.05", stop_price="54000", take_profit_price=""))
    assert "−$313.50" in text(page)
    assert form(page, REVIEW)["stop_price"] == "54000"


def test_the_review_says_everything_before_anything_is_sent(alice):
    page = post_review(alice)
    for words in (
        "sell 0.10000 BTC: limit 66,000.00 USD, or at market when the mark price falls to 57,000.00 USD",
        "−$328.50",
        "+$583.50",
        "60,000.00 USD, 0 s old",
        "If the pair is rejected Only the stop is placed",
    ):
        assert words in text(page)
    assert OcoGroup.objects.count() == 0
    assert OrmQ.objects.count() == 1


def test_a_stop_without_a_target_stands_alone(alice):
    page = post_review(alice, take_profit_price="")
    assert "Place a stop only: sell 0.10000 BTC" in text(page)
    send(alice, page)
    assert OcoGroup.objects.get().take_profit_price is None


def test_a_target_that_is_too_near_goes_out_above_the_price(alice):
    page = post_review(alice, take_profit_price="60100")
    assert "limit 60,300.00 USD" in text(page)
    assert "the first valid price above is used instead" in text(page)


def test_the_button_writes_it_down_for_the_worker(alice):
    result = pressed(alice, post_review(alice))
    group = OcoGroup.objects.get()
    made = (group.quantity, group.stop_price, group.take_profit_price, group.requested_by)
    assert made == (Decimal("0.10000"), Decimal("57000.00"), Decimal("66000.00"), "alice")
    assert "Sent to the worker" in text(result)
    assert f'href="/protection/{group.pk}/"' in result.content.decode()
    assert f'href="/audit/?name={group.correlation_id}"' in result.content.decode()


def test_two_presses_make_one_group(alice):
    page = post_review(alice)
    first, second = send(alice, page), send(alice, page)
    assert first["Location"] == second["Location"]
    assert (OcoGroup.objects.count(), UsedReview.objects.count()) == (1, 1)


def test_an_old_review_is_looked_at_again(alice, clock):
    page = post_review(alice)
    clock.shift(61)
    again = send(alice, page)
    assert "More than 60 seconds have passed" in text(again)
    assert OcoGroup.objects.count() == 0
    assert send(alice, again).status_code == 302


@pytest.mark.parametrize(
    ("price", "words"), [("60300", ""), ("60301", "moved by more than 0.5 %"), ("59699", "moved")]
)
def test_another_price_is_looked_at_again(alice, price, words):
    page = post_review(alice)
    Balance.objects.filter(currency="BTC").update(price_usd=Decimal(price))
    answer = send(alice, page)
    assert words in text(answer)
    assert OcoGroup.objects.count() == (0 if words else 1)


def test_another_balance_is_looked_at_again(alice):
    page = post_review(alice, quantity="0.05")
    Balance.objects.filter(currency="BTC").update(quantity=Decimal("0.09"))
    assert "have changed since your review" in text(send(alice, page))
    assert OcoGroup.objects.count() == 0


def test_coins_that_are_gone_are_said_on_the_form(alice):
    page = post_review(alice)
    Balance.objects.filter(currency="BTC").update(quantity=Decimal("0.02"))
    answer = text(send(alice, page))
    assert "Nothing was sent." in answer
    assert "Only 0.02000 BTC available" in answer
    assert OcoGroup.objects.count() == 0


@pytest.mark.parametrize("age", [181, None])
@pytest.mark.parametrize("step", ["set", "review", "send"])
def test_old_data_blocks_every_step(alice, clock, age, step):
    page = post_review(alice)
    if age is None:
        SyncRun.objects.all().delete()
    else:
        clock.shift(age)
        alice.force_login(UserFactory())
    answer = {
        "set": lambda: alice.get(SET),
        "review": lambda: alice.post(REVIEW, PROTECTION_REQUEST),
        "send": lambda: send(alice, page),
    }[step]()
    assert "Orders are blocked until" in text(answer)
    assert "Review, nothing is sent yet" not in text(answer)
    assert OcoGroup.objects.count() == 0


def test_nothing_is_sent_while_trading_is_off(alice):
    page = post_review(alice)
    TradingSwitchFactory()
    assert "Trading is off, so no order can be placed. Kill switch turned on by" in text(send(alice, page))
    assert OcoGroup.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stop_price": "60000"}, "would sell immediately"),
        ({"stop_price": "59800"}, "cannot have a take profit"),
        ({"take_profit_price": "60000"}, "The take profit must be above it"),
        ({"stop_price": "57000.001"}, "multiple of 0.01"),
        ({"stop_price": "57,000"}, "“57,000” can mean 57 or 57000. Enter one of these two."),
        ({"stop_price": ""}, "This field is required"),
        ({"quantity": "0"}, "positive multiple of 0.00001"),
        ({"quantity": "0.00001"}, "The minimum order on the exchange is 1 USD"),
        ({"take_profit_price": "56000"}, "The take profit must be above the stop"),
    ],
)
def test_what_cannot_be_sent_is_said_at_its_field(alice, change, words):
    answer = post_review(alice, **change)
    assert words in text(answer)
    assert "Review, nothing is sent yet" in text(answer)


def test_more_than_is_free_is_refused(alice):
    assert "Only 0.10000 BTC available" in text(post_review(alice, quantity="0.2"))


def test_what_is_behind_an_order_of_others_is_not_free(alice):
    OrderFactory(side="SELL", quantity=Decimal("0.04"), price=Decimal(70000))
    assert form(alice.get(SET), REVIEW)["quantity"] == "0.06000"
    assert "Only 0.06000 BTC available" in text(post_review(alice))


def test_what_the_service_refuses_is_not_used_up(alice, monkeypatch):
    page = post_review(alice)
    monkeypatch.setattr(ProtectWizard, "check", lambda _self, _values: None)
    GroupFactory(lot__bought=Decimal("0.01"), instrument_name="BTC_USDT")
    monkeypatch.setattr(ProtectWizard, "seen", lambda _self: "0.10000")
    assert "Only 0.09000 BTC available" in text(send(alice, page))
    assert UsedReview.objects.count() == 0


def test_what_is_protected_already_is_not_offered(alice):
    GroupFactory(lot__bought=Decimal("0.1"))
    assert "No BTC available" in text(alice.get(SET))


def test_without_a_price_nothing_is_weighed(alice):
    Balance.objects.filter(currency="BTC").update(price_usd=None)
    assert "Its price is unknown" in text(alice.get(SET))


@pytest.mark.parametrize("token", ["", "made-up", "made:up:token"])
def test_a_token_that_is_not_ours_sends_nothing(alice, token):
    answer = alice.post(SEND, {"token": token}, follow=True)
    assert "This review is not valid" in text(answer)
    assert OcoGroup.objects.count() == 0


def test_a_token_is_for_one_person_and_one_instrument(alice):
    page = post_review(alice)
    bob = Client()
    bob.force_login(UserFactory(username="bob"))
    bob.post(SEND, {"token": token_of(page)})
    InstrumentFactory(symbol="ETH_USD")
    BalanceFactory(currency="ETH")
    alice.post("/protection/protect/ETH_USD/send/", {"token": token_of(page)})
    assert OcoGroup.objects.count() == 0


def test_one_can_come_back_to_the_review(alice):
    there = alice.post(REVIEW, PROTECTION_REQUEST)["Location"]
    first = alice.get(there)
    send(alice, first)
    back = alice.get(there)
    assert back.status_code == 200
    assert "No BTC available" in text(back)
    assert OcoGroup.objects.count() == 1


@pytest.mark.parametrize(
    ("coin", "words"), [("DOGE", "No DOGE in the account"), ("USDT", "USDT counts as cash")]
)
def test_where_there_is_nothing_to_protect_there_is_no_form(alice, coin, words):
    InstrumentFactory(symbol=f"{coin}_USD")
    page = text(alice.get(f"/protection/protect/{coin}_USD/"))
    assert f"{words}" in page
    assert "there is nothing to protect" in page
    assert "Stop price" not in page


def test_nothing_free_is_said_once(alice):
    OrderFactory(side="SELL", quantity=Decimal("0.1"))
    page = text(alice.get(SET))
    assert "No BTC available" in page
    assert "BTC available: not protected" not in page


def test_without_a_login_it_asks_for_one():
    for answer in (
        Client().get(SET),
        Client().post(REVIEW, PROTECTION_REQUEST),
        Client().post(SEND, {"token": "x"}),
    ):
        assert answer["Location"].startswith("/login/?next=/protection/protect/BTC_USD/")


def test_a_form_from_elsewhere_is_refused(alice):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = alice.cookies
    token = token_of(post_review(alice))
    assert [
        strict.post(REVIEW, PROTECTION_REQUEST).status_code,
        strict.post(SEND, {"token": token}).status_code,
    ] == [
        403,
        403,
    ]
    assert OcoGroup.objects.count() == 0


def test_its_own_form_carries_what_it_needs(alice):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = alice.cookies
    review = strict.post(REVIEW, form(strict.get(SET), REVIEW), follow=True)
    assert strict.post(SEND, form(review, SEND)).status_code == 302
    assert OcoGroup.objects.count() == 1


def test_an_unknown_instrument_is_not_found(alice):
    assert alice.get("/protection/protect/XYZ_USD/").status_code == 404


@pytest.mark.parametrize(
    ("environment", "words", "violet"),
    [
        ("DRY_RUN", "Simulate orders", False),
        ("LIVE", "Send live orders", True),
        ("SANDBOX", "Send orders to the test environment", False),
    ],
)
def test_only_real_money_is_violet(alice, settings, environment, words, violet):
    settings.ENVIRONMENT = environment
    page = post_review(alice)
    assert words in text(page)
    assert ("btn-live" in page.content.decode()) is violet
