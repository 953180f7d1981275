"""Derivative positions are shown as unprotected and never acted on (rule 4)."""

from decimal import Decimal

import pytest

from oco.models import OcoGroup
from portfolio.alerts.texts import alert_text, alert_title
from portfolio.dashboard.selectors import load_dashboard
from portfolio.models import Alert, Perpetual
from tests.oco.support import created, stop_of

D = Decimal
NAME = "BTCUSD-PERP"
ASK = "private/get-positions"


def put(world, quantity, price="60000"):
    world.control("position", instrument_name=NAME, quantity=quantity, entry_price=price)


def shown():
    return [(row.instrument_name, row.quantity) for row in load_dashboard().unprotected]


def test_who_has_none_never_asks(desk, held):
    desk.sync_ok()
    assert ASK not in desk.requested
    assert not Perpetual.objects.exists()


def test_a_position_is_shown_with_its_worth_and_left_alone(desk, world):
    desk.sync_ok()
    put(world, "-0.5")
    desk.sync_ok()
    (row,) = load_dashboard().unprotected
    assert (row.instrument_name, row.quantity, row.since) == (NAME, D("-0.5"), desk.now)
    assert abs(row.market_value_usd / (D("0.5") * world.price(NAME)) - 1) < D("0.01")
    assert row.reason.code == "PERPETUAL"
    assert load_dashboard().summary.unprotected_usd == row.market_value_usd.quantize(D("0.01"))
    assert created(desk.requested) == 0
    assert not OcoGroup.objects.exists()


def test_the_coin_of_the_same_name_keeps_its_own_cover(desk, world, held):
    put(world, "2")
    desk.sync_ok()
    (coin,) = [row for row in load_dashboard().portfolio if row.currency == "BTC"]
    assert (coin.protected_quantity, coin.unprotected_quantity) == (D("0.01"), 0)
    assert shown() == [(NAME, D(2))]


def test_it_is_told_once_with_how_much_since_when_and_why(desk, world):
    put(world, "-0.5")
    for _ in range(6):
        desk.sync_ok()
    (alert,) = Alert.objects.all()
    assert (alert.kind, alert.instrument_name) == ("UNPROTECTED", NAME)
    assert "−0.5" in alert_title(alert)
    assert all(word in alert_text(alert) for word in ("−0.5", "$", "since", "spot only"))


def test_a_closed_one_is_gone_and_not_asked_for_again(desk, world):
    put(world, 1)
    desk.sync_ok()
    put(world, 0)
    desk.sync_ok()
    assert ASK in desk.requested
    assert shown() == []
    desk.sync_ok()
    assert ASK not in desk.requested


def test_turned_around_it_is_another_one(desk, world):
    put(world, 1)
    desk.sync_ok()
    put(world, -1)
    desk.sync_ok()
    assert Perpetual.objects.get().since == desk.now


def test_a_failed_read_is_no_news(desk, world):
    put(world, 1)
    desk.sync_ok()
    world.faults.add("refuse", ASK, code=50001)
    assert "Positions" in " ".join(desk.sync().errors)
    assert shown() == [(NAME, D(1))]


def test_a_key_that_may_not_ask_is_still_good_for_the_rest(desk, world, held):
    put(world, 1)
    world.faults.add("refuse", ASK, code=40101)
    world.buy("BTC_USD", "0.01")
    run = desk.sync()
    assert (run.status, run.groups_created) == ("PARTIAL", 1)


def test_an_empty_answer_is_not_believed_while_the_account_counts_a_cost(desk, world):
    put(world, 1)
    desk.sync_ok()
    world.faults.add("empty", ASK, times=1)
    assert "Ignored" in " ".join(desk.sync().errors)
    assert shown() == [(NAME, D(1))]


@pytest.mark.parametrize("kind", ["STOP_LOSS", "STOP_LIMIT"])
def test_orders_of_a_perpetual_take_no_coins_and_cover_none(desk, world, held, kind):
    """A stop that sells BTCUSD-PERP sells no bitcoin, although its base is one."""
    from tests.factories import OrderFactory

    OrderFactory(advanced=True, order_type=kind, instrument_name=NAME, quantity=D(5), created_at=desk.now)
    world.deposit("BTC", "0.5")
    before = stop_of(world).order_id
    desk.sync(), desk.sync()
    assert stop_of(world).order_id == before
    assert (OcoGroup.objects.get().state, shown()) == ("ACTIVE", [("BTC_USD", D("0.5"))])
