"""A row of the catalogue that is not true: before a purchase stays unprotected for it, the catalogue is read again."""

from datetime import timedelta
from decimal import Decimal

import pytest

from exchange.models import Instrument, SyncRun, Trade, UnreadableRow
from oco.models import Lot
from tests.oco.support import check_converged, created, group, resting, stop_of

D = Decimal
CATALOGUE = "public/get-instruments"
COARSE = [{"qty_tick_size": "100000"}, {"qty_tick_size": "1000"}, {"price_tick_size": "1"}]
NO_SPOT = {"inst_type": "PERPETUAL_SWAP"}


def lie(world, values, **rule):
    """The next answers say something else of CRO_USD."""
    return world.faults.add("lie", CATALOGUE, values=values, where={"symbol": "CRO_USD"}, **rule)


def read_again(desk):
    """The daily read of the catalogue is due."""
    Instrument.objects.update(read_at=desk.now - timedelta(days=2))


def buy(world, quantity="1999"):
    world.buy("CRO_USD", quantity, fee_instrument_name="USD")


@pytest.fixture(autouse=True)
def prices(desk, world):
    world.set_price("CRO_USD", "0.10137")
    world.change_rules("CRO_USD", qty_tick_size="1")


@pytest.fixture
def known(desk, prices):
    desk.sync_ok()


@pytest.mark.parametrize("rules", [*COARSE, NO_SPOT])
def test_a_purchase_is_protected_in_the_cycle_that_sees_it(desk, world, rules):
    lie(world, rules, times=1)
    desk.sync_ok()
    buy(world)
    desk.sync_ok()
    assert (group().state, stop_of(world).quantity, Lot.objects.get().dust) == ("ACTIVE", 1999, 0)
    assert abs(stop_of(world).ref_price / group().entry_price - D("0.95")) < D("0.001")
    assert desk.requested.count(CATALOGUE) == 1
    desk.sync_ok()
    assert (created(desk.requested), CATALOGUE in desk.requested) == (0, False)
    check_converged(world)


@pytest.mark.parametrize("name", ["inst_type", "base_ccy", "quote_ccy"])
@pytest.mark.parametrize("false", ["", "ETH"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_row_that_cannot_be_changes_nothing(desk, world, name, false, is_first):
    if not is_first:
        desk.sync_ok()
        read_again(desk)
    lie(world, {name: false}, times=1)
    run = desk.sync()
    if false == "" or name != "inst_type":
        assert run.status == SyncRun.Status.PARTIAL
        assert UnreadableRow.objects.filter(method=CATALOGUE, row_id="CRO_USD").exists()
    buy(world)
    desk.sync_ok()
    assert (group().state, stop_of(world).quantity) == ("ACTIVE", 1999)
    check_converged(world)


def test_another_kind_counts_only_when_two_answers_agree(desk, world, known):
    read_again(desk)
    lie(world, NO_SPOT, times=1)
    desk.sync_ok()
    row = Instrument.objects.get(symbol="CRO_USD")
    assert (row.inst_type, row.doubt) == ("CCY_PAIR", "PERPETUAL_SWAP/CRO/USD")
    buy(world)
    desk.sync_ok()
    assert (group().state, desk.requested.count(CATALOGUE)) == ("ACTIVE", 1)  # the second answer
    assert Instrument.objects.get(symbol="CRO_USD").doubt == ""
    desk.sync_ok()
    assert CATALOGUE not in desk.requested


def test_a_purchase_waits_while_the_catalogue_denies_that_it_is_spot(desk, world, known):
    read_again(desk)
    lie(world, NO_SPOT)
    for _ in range(3):
        desk.sync_ok()
    assert Instrument.objects.get(symbol="CRO_USD").inst_type == "PERPETUAL_SWAP"
    buy(world)
    reads = 0
    for _ in range(8):
        run = desk.sync()
        reads += desk.requested.count(CATALOGUE)
        assert any("no spot pair" in text for text in run.errors)
    assert (Trade.objects.get().is_new, reads) == (True, 1)
    world.faults.clear()
    for _ in range(4):
        desk.sync()
    assert (group().state, stop_of(world).quantity) == ("ACTIVE", 1999)
    desk.sync_ok()
    check_converged(world)


def test_a_false_lot_size_that_two_answers_tell_is_asked_about_again(desk, world):
    lie(world, {"qty_tick_size": "100000"})
    desk.sync_ok()
    buy(world)
    desk.sync_ok()
    assert (resting(world), desk.requested.count(CATALOGUE)) == ([], 1)
    world.faults.clear()
    reads = 0
    for _ in range(11):
        desk.sync_ok()
        reads += desk.requested.count(CATALOGUE)
    assert (reads, stop_of(world).quantity) == (1, 1999)
    check_converged(world)


def test_a_true_lot_size_that_is_too_large_is_asked_about_every_ten_minutes(desk, world, known):
    buy(world)
    world.change_rules("CRO_USD", qty_tick_size="100000")
    reads = []
    for _ in range(25):
        desk.sync_ok()
        reads.append(desk.requested.count(CATALOGUE))
    assert (sum(reads[:10]), max(reads), sum(reads)) == (2, 1, 4)


def test_a_purchase_that_is_small_by_itself_asks_nothing(desk, world, known):
    buy(world, "10")
    desk.sync_ok()
    assert (CATALOGUE in desk.requested, Lot.objects.exists()) == (False, False)


def test_an_order_that_is_gone_is_placed_again_on_the_true_lot_size(desk, world, known):
    buy(world)
    desk.sync_ok()
    read_again(desk)
    lie(world, {"qty_tick_size": "100000"}, times=1)
    desk.sync_ok()
    world.set_behaviour(oco_leg_cancel="one")
    world.cancel(stop_of(world))
    desk.sync_ok()
    assert (group().state, stop_of(world).quantity) == ("ACTIVE", 1999)
    check_converged(world)


def test_without_the_catalogue_what_is_known_counts(desk, world):
    lie(world, {"qty_tick_size": "1000"}, times=1)
    desk.sync_ok()
    buy(world)
    world.faults.add("refuse", CATALOGUE, code=50001)
    run = desk.sync()
    assert (group().state, stop_of(world).quantity, run.status) == ("ACTIVE", 1000, SyncRun.Status.PARTIAL)
    world.faults.clear()
    for _ in range(3):
        desk.sync()
    assert stop_of(world).quantity == 1999


def test_what_the_policy_leaves_unprotected_is_not_asked_about(desk, world, settings):
    settings.AUTO_PROTECT = False
    lie(world, NO_SPOT, times=1)
    desk.sync_ok()
    buy(world)
    desk.sync_ok()
    assert (CATALOGUE in desk.requested, Lot.objects.exists()) == (False, False)
