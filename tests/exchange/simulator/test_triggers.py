"""Single trigger orders: which way they fire, on which price, with which funds, and under which ids."""

from decimal import Decimal

import pytest

from exchange.simulator.config import Refusal
from exchange.simulator.models import Order
from tests.exchange.simulator.world import World

CREATE = "private/advanced/create-order"


def trigger(
    world: World, kind: str = "STOP_LOSS", ref_price: str = "0.045", side: str = "SELL", **more: str
) -> Order:
    """A trigger on 100 CRO; the market is at 0.0471."""
    asked = {
        "instrument_name": "CRO_USD",
        "side": side,
        "type": kind,
        "quantity": "100",
        "ref_price": ref_price,
    }
    return world.order(world.send_manually(CREATE, **asked, **more)["order_id"])


@pytest.mark.parametrize(
    ("side", "kind", "ref_price", "reached"),
    [
        ("SELL", "STOP_LOSS", "0.045", "0.045"),
        ("SELL", "TAKE_PROFIT", "0.049", "0.049"),
        ("BUY", "STOP_LOSS", "0.049", "0.0491"),
        ("BUY", "TAKE_PROFIT", "0.045", "0.0449"),
    ],
)
def test_each_kind_fires_on_its_side_and_executes_at_the_market(side, kind, ref_price, reached):
    world = World({"USD": 100, "CRO": 100})
    order = trigger(world, kind, ref_price, side)
    world.tick(60)
    assert order.status == "PENDING"
    world.set_price("CRO_USD", reached)
    assert (order.status, order.cumulative_quantity) == ("FILLED", 100)


@pytest.mark.parametrize(
    ("side", "kind", "ref_price"),
    [
        ("SELL", "STOP_LOSS", "0.0471"),
        ("SELL", "TAKE_PROFIT", "0.045"),
        ("BUY", "STOP_LIMIT", "0.045"),
        ("BUY", "TAKE_PROFIT_LIMIT", "0.049"),
    ],
)
def test_a_trigger_on_the_wrong_side_is_refused(side, kind, ref_price):
    with pytest.raises(Refusal, match="50007"):
        trigger(World({"USD": 100, "CRO": 100}), kind, ref_price, side, price="0.0471")


def test_or_fires_at_once():
    assert trigger(World({"CRO": 100}, trigger_wrong_side="fires"), ref_price="0.05").status == "FILLED"


def test_a_triggered_limit_rests_at_its_price():
    world = World({"CRO": 100})
    order = trigger(world, "STOP_LIMIT", "0.045", price="0.0452")
    world.set_price("CRO_USD", "0.0449")
    assert (order.status, order.triggered, order.cumulative_quantity) == ("ACTIVE", True, 0)
    world.set_price("CRO_USD", "0.0452")
    assert order.status == "FILLED"


def test_it_is_the_mark_price_that_counts_not_the_last():
    world = World({"CRO": 100})
    order = trigger(world)
    world.set_mark_gap("CRO_USD", "0.01")
    world.set_price("CRO_USD", "0.045")
    assert order.status == "PENDING"
    world.set_mark_gap("CRO_USD", 0)
    assert order.status == "FILLED"


@pytest.mark.parametrize("given", [{"ref_price_type": "LAST_PRICE"}, {}])
def test_unless_requested_or_the_default_is_another(given):
    world = World({"CRO": 100}, default_ref_price_type="LAST_PRICE" if not given else "MARK_PRICE")
    order = trigger(world, **given)
    world.set_mark_gap("CRO_USD", "0.01")
    world.set_price("CRO_USD", "0.045")
    assert order.status == "FILLED"


def test_a_touch_is_not_enough_where_the_option_says_through():
    world = World({"CRO": 100}, trigger_on="through")
    order = trigger(world)
    world.set_price("CRO_USD", "0.045")
    assert order.status == "PENDING"
    world.set_price("CRO_USD", "0.04499")
    assert order.status == "FILLED"


@pytest.mark.parametrize("status", ["PENDING", "ACTIVE", "NEW"])
def test_how_an_untriggered_order_looks(status):
    world = World({"CRO": 100}, untriggered_status=status)
    order = trigger(world, client_oid="stop")
    row = world.send_manually("private/advanced/get-order-detail", client_oid="stop")
    assert row["status"] == status
    assert (row["ref_price"], row["ref_price_type"], row["limit_price"]) == ("0.04500", "MARK_PRICE", "0")
    assert world.send_manually("private/get-open-orders") == {"data": []}
    assert world.send_manually("private/advanced/get-open-orders")["data"][0]["order_id"] == order.order_id


def test_a_single_trigger_reserves_nothing_until_it_fires_and_then_may_lack_funds():
    world = World({"CRO": 100})
    order = trigger(world)
    world.sell("CRO_USD", 50, "0.05")
    world.set_price("CRO_USD", "0.045")
    assert (order.status, order.reason, order.cumulative_quantity) == ("CANCELED", 306, 0)


def test_and_then_it_may_be_called_rejected_without_a_reason():
    world = World({}, trigger_without_funds="REJECTED", trigger_without_funds_reason=0)
    order = trigger(world)
    world.set_price("CRO_USD", "0.045")
    assert (order.status, order.reason) == ("REJECTED", 0)


def test_or_it_reserves_when_placed():
    world = World({"CRO": 100}, trigger_reserves="at_placement")
    trigger(world)
    with pytest.raises(Refusal, match="306"):
        world.sell("CRO_USD", 50, "0.05")


@pytest.mark.parametrize("carried", ["exchange_order_id", "order_id"])
def test_which_id_the_fill_carries(carried):
    world = World({"CRO": 100}, fills_carry=carried)
    order = trigger(world)
    world.set_price("CRO_USD", "0.045")
    row = world.send_manually("private/advanced/get-order-detail", order_id=order.order_id)
    assert row["exchange_order_id"] != row["order_id"]
    assert world.send_manually("private/get-trades")["data"][0]["order_id"] == row[carried]
    assert world.exchange.audit() == []


def test_the_fill_may_not_even_carry_our_client_id():
    world = World({"CRO": 100}, fills_client_oid="exchange_order_id", exchange_order_id="never")
    order = trigger(world, client_oid="stop")
    world.set_price("CRO_USD", "0.045")
    assert "exchange_order_id" not in world.send_manually(
        "private/advanced/get-order-detail", client_oid="stop"
    )
    assert world.send_manually("private/get-trades")["data"][0]["client_oid"] == order.exchange_order_id


def test_the_triggered_order_may_also_live_among_the_plain_ones():
    world = World({"CRO": 100}, triggered_in_plain="shown")
    order = trigger(world, "STOP_LIMIT", "0.045", price="0.0452", client_oid="stop")
    world.set_price("CRO_USD", "0.0449")
    row = world.send_manually("private/get-open-orders")["data"][0]
    assert (row["order_id"], row["client_oid"], row["order_type"]) == (
        order.exchange_order_id,
        "stop",
        "LIMIT",
    )
    world.send_manually("private/cancel-order", order_id=order.exchange_order_id)
    history = world.send_manually("private/get-order-history")["data"]
    assert [row["order_id"] for row in history] == [order.exchange_order_id]
    assert world.exchange.audit() == []


def test_both_name_spaces_may_count_from_the_same_number():
    world = World({"CRO": 200, "USD": 100}, order_id_ranges="overlapping")
    stop, plain = trigger(world), world.sell("CRO_USD", 100, "0.05")
    assert stop.order_id == plain.order_id
    assert world.send_manually("private/get-order-detail", order_id=plain.order_id)["order_type"] == "LIMIT"
    world.fill(plain, 40)
    assert (plain.cumulative_quantity, stop.cumulative_quantity) == (40, 0)


def test_a_gap_sells_at_the_price_after_the_gap():
    world = World({"CRO": 100})
    trigger(world)
    world.set_price("CRO_USD", "0.03")
    assert world.send_manually("private/get-trades")["data"][0]["traded_price"] == "0.03000"


def test_a_triggered_stop_in_a_thin_market_ends_canceled_with_a_part():
    world = World({"CRO": 100})
    order = trigger(world)
    world.set_liquidity("CRO_USD", 40)
    world.set_price("CRO_USD", "0.045")
    assert (order.status, order.reason, order.cumulative_quantity) == ("CANCELED", 0, 40)


@pytest.mark.parametrize("code", [50002, 308])
def test_a_price_off_the_tick_on_the_advanced_endpoint(code):
    with pytest.raises(Refusal, match=str(code)):
        trigger(World({"CRO": 100}, advanced_price_code=code), "STOP_LIMIT", price="0.045001")


def test_a_trigger_without_trigger_price_or_of_a_plain_type_is_refused():
    bare = {"instrument_name": "CRO_USD", "side": "SELL", "type": "STOP_LOSS", "quantity": "100"}
    with pytest.raises(Refusal, match="40004"):
        World({"CRO": 100}).send_manually(CREATE, **bare, trigger_price="0.045")
    with pytest.raises(Refusal, match="218"):
        trigger(World({"CRO": 100}), kind="LIMIT")


def test_amend_moves_the_trigger_and_swaps_market_for_limit():
    world = World({"CRO": 100})
    order = trigger(world, client_oid="stop")
    amend = "private/advanced/amend-order"
    world.send_manually(
        amend, client_oid="stop", new_price="0.044", new_quantity="90", new_ref_price="0.0451"
    )
    assert (order.order_type, order.limit_price, order.ref_price) == (
        "STOP_LIMIT",
        Decimal("0.044"),
        Decimal("0.0451"),
    )
    world.send_manually(amend, client_oid="stop", new_price="0", new_quantity="90")
    assert (order.order_type, order.limit_price, order.quantity) == ("STOP_LOSS", None, 90)


def test_amend_without_a_price_is_an_option():
    world = World({"CRO": 100})
    order = trigger(world)
    with pytest.raises(Refusal, match="40004"):
        world.send_manually("private/advanced/amend-order", order_id=order.order_id, new_quantity="90")
    world.set_behaviour(advanced_amend_price="optional")
    world.send_manually("private/advanced/amend-order", order_id=order.order_id, new_quantity="90")
    assert order.quantity == 90


def test_cancel_all_of_the_triggers_leaves_the_limit_legs():
    world = World({"CRO": 300})
    order = trigger(world)
    limited = trigger(world, "TAKE_PROFIT_LIMIT", "0.049", price="0.049")
    world.send_manually("private/advanced/cancel-all-orders", type="LIMIT")
    assert (order.status, limited.status) == ("PENDING", "PENDING")
    world.send_manually("private/advanced/cancel-all-orders", type="TRIGGER")
    assert (order.status, limited.status) == ("CANCELED", "CANCELED")
