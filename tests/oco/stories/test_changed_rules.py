"""The exchange changes the rules of an instrument while the desk runs: the same cycle reads and uses them (rule 3)."""

from decimal import Decimal

import pytest

from exchange.models import Instrument
from exchange.simulator.config import CHOICES
from tests.oco.support import check_converged, created, group, ours, resting, stop_of, target_of

D = Decimal
CATALOGUE = "public/get-instruments"
COARSER_PRICES = {"price_tick_size": "0.001"}
COARSER_LOTS = {"qty_tick_size": "10"}


@pytest.fixture(autouse=True)
def known(desk, world):
    """The catalogue is read; a coin costs 0.10137, on a grid of 0.00001 and whole coins."""
    world.set_price("CRO_USD", "0.10137")
    world.change_rules("CRO_USD", qty_tick_size="1")
    desk.sync_ok()


def buy(world, quantity="1005"):
    world.buy("CRO_USD", quantity, fee_instrument_name="USD")


@pytest.mark.parametrize("rules", [COARSER_PRICES, COARSER_LOTS, COARSER_PRICES | COARSER_LOTS])
@pytest.mark.parametrize("refusal_ids", CHOICES["refusal_ids"])
def test_a_refused_pair_is_placed_on_the_new_grid_in_the_same_cycle(desk, world, rules, refusal_ids):
    world.set_behaviour(refusal_ids=refusal_ids)
    buy(world)
    world.change_rules("CRO_USD", **rules)
    desk.sync_ok()
    assert (group().state, group().failures) == ("ACTIVE", 0)
    assert stop_of(world).quantity == (1000 if "qty_tick_size" in rules else 1005)
    for price in (stop_of(world).ref_price, target_of(world).limit_price):
        assert price % D(rules.get("price_tick_size", "0.00001")) == 0
    assert desk.requested.count(CATALOGUE) == 1
    desk.sync_ok()
    assert (created(desk.requested), CATALOGUE in desk.requested) == (0, False)
    check_converged(world)


def test_the_stop_never_risks_more_on_the_new_grid(desk, world):
    buy(world)
    world.change_rules("CRO_USD", **COARSER_PRICES)
    desk.sync_ok()
    requested = group().entry_price * D("0.95")
    assert 0 <= stop_of(world).ref_price - requested < D("0.001")


def test_a_pair_that_is_placed_again_uses_the_new_grid(desk, world):
    buy(world)
    desk.sync_ok()
    world.change_rules("CRO_USD", **COARSER_PRICES, **COARSER_LOTS)
    world.set_behaviour(oco_leg_cancel="one")
    world.cancel(stop_of(world))
    desk.sync_ok()
    assert (group().state, stop_of(world).quantity) == ("ACTIVE", 1000)
    assert stop_of(world).ref_price % D("0.001") == 0


def test_a_market_sale_uses_the_new_lot_size(desk, world):
    buy(world)
    world.change_rules("CRO_USD", **COARSER_LOTS)
    world.move("CRO_USD", -9)
    desk.sync_ok()
    assert (group().state, world.balance("CRO")) == ("CLOSED_BY_EXIT", 5)


def test_resting_orders_stay_when_the_lot_size_grows(desk, world):
    buy(world)
    desk.sync_ok()
    for lot in ("10", "100000"):
        world.change_rules("CRO_USD", qty_tick_size=lot)
        Instrument.objects.update(read_at=desk.now.replace(year=2025))  # the daily read is due
        desk.sync_ok()
        assert Instrument.objects.get(symbol="CRO_USD").qty_tick_size == D(lot)
        assert (group().state, len(resting(world)), created(desk.requested)) == ("ACTIVE", 2, 0)


def test_a_lot_that_the_new_size_rounds_to_nothing_is_not_closed(desk, world):
    buy(world)
    world.change_rules("CRO_USD", qty_tick_size="100000")
    desk.sync_ok()
    assert (group().state, group().reason_code, ours(world)) == ("PENDING", "WORTH_TOO_LITTLE_AT_STOP", [])
    world.change_rules("CRO_USD", qty_tick_size="1")
    Instrument.objects.update(read_at=desk.now.replace(year=2025))
    desk.sync_ok()  # the catalogue is read after protection has acted
    desk.sync_ok()
    assert group().state == "ACTIVE"


def test_the_catalogue_is_read_once_a_cycle_and_the_same_order_is_not_repeated(desk, world):
    buy(world)
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    for method in ("private/advanced/create-oco", "private/advanced/create-order"):
        world.faults.add("refuse", method, code=308)
    desk.sync()
    assert (desk.requested.count(CATALOGUE), created(desk.requested)) == (1, 4)  # each a pair, then its stop


def test_without_the_catalogue_the_stop_still_goes_alone(desk, world):
    buy(world)
    world.faults.add("refuse", "private/advanced/create-oco", code=315)
    world.faults.add("refuse", CATALOGUE, code=50001)
    run = desk.sync()
    assert (group().state, len(resting(world)), run.status) == ("ACTIVE", 1, "PARTIAL")
    assert any("Instruments" in error for error in run.errors)


def test_an_instrument_that_is_closed_for_trading_says_so(desk, world):
    buy(world)
    world.change_rules("CRO_USD", tradable=False)
    desk.sync()
    assert (group().exchange_code, created(desk.requested)) == (208, 2)
    assert not Instrument.objects.get(symbol="CRO_USD").tradable
    world.change_rules("CRO_USD", tradable=True)
    desk.sync_ok()
    assert group().state == "ACTIVE"
