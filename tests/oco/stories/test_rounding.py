"""Coarse grids and wide spreads: neither places a stop at the market nor sells there (rules 3 and 9)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from exchange.simulator.markets import recorded_catalogue
from oco.policies import policy_for
from portfolio.models import Alert
from tests.exchange.simulator.world import World
from tests.oco.support import check_converged, group, ours, stop_of

D = Decimal


def market_like(template, symbol, *, price, price_tick, lot):
    """A market that the recorded catalogue does not have."""
    known = recorded_catalogue().markets[template]
    base = symbol.removesuffix("_USD")
    row = {
        **known.row,
        "symbol": symbol,
        "base_ccy": base,
        "display_name": symbol,
        "price_tick_size": price_tick,
        "qty_tick_size": lot,
    }
    return replace(
        known, row=row, symbol=symbol, base=base, price_tick=D(price_tick), qty_tick=D(lot), price=D(price)
    )


@pytest.fixture
def world():
    catalogue = recorded_catalogue()
    markets = {
        "CRO_USD": catalogue.markets["CRO_USD"],
        "XEC_USD": market_like("CRO_USD", "XEC_USD", price="1.2E-8", price_tick="0.000000001", lot="1"),
        "BTT_USD": market_like("CRO_USD", "BTT_USD", price="6.2E-7", price_tick="0.00000001", lot="1"),
    }
    return World(catalogue=replace(catalogue, markets=markets))


def set_stop(percent):
    policy = policy_for("")
    policy.stop_pct = D(percent)
    policy.save()


@pytest.mark.parametrize(("symbol", "percent"), [("XEC_USD", "5"), ("BTT_USD", "1")])
def test_a_stop_rounded_up_to_the_entry_is_told_and_nothing_is_sold(desk, world, symbol, percent):
    set_stop(percent)
    desk.sync_ok()
    world.buy(symbol, 10**10, fee_instrument_name="USD")
    for _ in range(2):
        desk.sync_ok()
    found = group()
    assert (found.state, found.reason_code, ours(world)) == ("STOP_FAILED", "STOP_WITHIN_SPREAD", [])
    assert found.stop_price == found.entry_price
    assert Alert.objects.filter(kind="STOP_FAILED", ended_at=None).exists()


def test_a_stop_below_the_spread_is_placed(desk, world):
    set_stop(20)
    desk.sync_ok()
    world.buy("XEC_USD", 10**10, fee_instrument_name="USD")
    desk.sync_ok()
    assert (group().state, stop_of(world).ref_price) == ("ACTIVE", D("1.1E-8"))
    check_converged(world)


def test_a_real_fall_still_sells(desk, world):
    set_stop(5)
    desk.sync_ok()
    world.buy("XEC_USD", 10**10, fee_instrument_name="USD")
    world.set_price("XEC_USD", "1.0E-8")
    desk.sync_ok()
    assert (group().state, world.balance("XEC")) == ("CLOSED_BY_EXIT", 0)


def test_a_spread_wider_than_the_distance_of_the_stop(desk, world):
    set_stop(5)
    world.set_price("CRO_USD", "0.1")
    world.set_spread("CRO_USD", "0.2")
    desk.sync_ok()
    world.buy("CRO_USD", 1000, fee_instrument_name="USD")
    desk.sync_ok()
    assert (group().state, group().reason_code, ours(world)) == ("STOP_FAILED", "STOP_WITHIN_SPREAD", [])
    world.set_spread("CRO_USD", None)
    world.set_price("CRO_USD", "0.11")
    desk.sync_ok()
    assert (group().state, group().failures) == ("ACTIVE", 0)
    check_converged(world)
