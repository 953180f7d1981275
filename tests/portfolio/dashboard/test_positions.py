"""One line per position: what it would lose or gain, and what can be done."""

from decimal import Decimal

import pytest
from django.test import Client

from portfolio.dashboard.selectors import load_dashboard
from portfolio.views.dashboard import allocation, coverage, position_lines
from tests.factories import (
    BalanceFactory,
    GroupFactory,
    InstrumentFactory,
    LegFactory,
    OrderFactory,
    SyncRunFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

D = Decimal


@pytest.fixture(autouse=True)
def desk():
    InstrumentFactory(price_tick_size=D("0.01"), qty_tick_size=D("0.00001"))
    SyncRunFactory()


def line():
    (only,) = position_lines(load_dashboard())
    return only


def guarded(**values):
    return LegFactory(group__state="ACTIVE", **values).group


def test_a_guarded_position_knows_both_ends():
    BalanceFactory()
    group = guarded()
    quantity = group.quantity
    BalanceFactory._meta.model.objects.update(quantity=quantity)
    shown = line()
    assert shown.result_at_stop == (group.stop_price - group.entry_price) * quantity
    assert shown.result_at_target == (group.take_profit_price - group.entry_price) * quantity
    assert shown.is_limited
    assert (shown.css_class, shown.price_decimals, shown.quantity_decimals) == ("", 2, 5)
    assert "Open" in Client().get("/").content.decode()


def test_what_has_no_stop_has_no_limit_and_a_price():
    BalanceFactory()
    shown = line()
    assert not shown.is_limited
    assert shown.css_class == "is-warn"
    assert shown.fall_usd == shown.value_usd / 10
    html = Client().get("/").content.decode()
    assert "No stop loss, no take profit." in html
    assert 'href="/protection/protect/BTC_USD/"' in html


def test_a_failed_stop_comes_first_and_can_be_fixed():
    BalanceFactory()
    group = GroupFactory(state="STOP_FAILED")
    shown = line()
    assert (shown.needs_fix, shown.css_class, shown.ladders[0].failed) == (True, "is-crit", True)
    html = Client().get("/").content.decode()
    assert f'href="/protection/{group.pk}/fix/"' in html
    assert "Stop missing" in html
    assert "BTC: stop failed." in html


def test_a_stop_placed_by_hand_is_a_ladder_too():
    BalanceFactory()
    pair = {"side": "SELL", "list_id": "7", "quantity": D("0.05")}
    OrderFactory(**pair, advanced=True, order_type="STOP_LOSS", price=None)
    OrderFactory(**pair, price=D("65000"))
    shown = line()
    (other,) = shown.external_stops
    assert (shown.max_loss_usd, shown.result_at_stop) == (D(250), None)
    assert (other.stop, other.target, other.now) == (D(55000), D(65000), D(60000))
    html = Client().get("/").content.decode()
    assert "BTC now 60,000.00. Stop loss 55,000.00" in html
    assert "has a stop." in html


def test_beside_a_pair_of_ours_every_stop_and_what_has_none_is_shown():
    BalanceFactory(quantity=D(1))
    guarded(group__lot__bought=D("0.01"))
    OrderFactory(advanced=True, order_type="STOP_LOSS", side="SELL", quantity=D("0.03"), price=None)
    shown = line()
    assert (len(shown.ladders), len(shown.external_stops)) == (1, 1)
    html = Client().get("/").content.decode()
    assert "Only " in html
    assert "0.04" in html.split("Only ")[1].split("</b>")[0]
    assert "A 10% fall would cost" in html


def test_without_a_target_there_is_none_to_gain():
    BalanceFactory()
    guarded(group__take_profit_price=None)
    assert line().result_at_target is None


def test_several_groups_of_a_coin_are_two_ladders_and_a_number():
    BalanceFactory(quantity=D(5))
    for _ in range(3):
        guarded()
    shown = line()
    assert (len(shown.ladders), shown.more) == (2, 1)


def test_the_bar_tells_how_much_has_a_stop():
    BalanceFactory()
    desk = load_dashboard()
    shown = coverage(desk)
    assert (shown.unprotected_usd, [slice.css_class for slice in shown.slices]) == (
        desk.summary.unprotected_usd,
        ["f-warn"],
    )


def test_one_failed_lot_does_not_paint_its_whole_coin():
    BalanceFactory()
    GroupFactory(state="STOP_FAILED")
    shown = {slice.css_class: slice.percent for slice in coverage(load_dashboard()).slices}
    assert shown == {"f-crit": D(10), "f-warn": D(90)}


def test_without_a_price_there_is_no_bar():
    BalanceFactory(price_usd=None)
    assert coverage(load_dashboard()) is None


def test_small_coins_are_one_slice():
    for coin in ("A", "B", "C", "D", "E", "F", "G"):
        BalanceFactory(currency=coin)
    BalanceFactory(currency="USD", price_usd=D(1))
    found = allocation(load_dashboard().portfolio)
    assert [slice.label for slice in found][-2:] == ["Other coins", "Cash"]
    assert len(found) == 6
    assert abs(sum(slice.percent for slice in found) - 100) < D("0.0001")
