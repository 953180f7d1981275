"""Plain orders: what is refused with which code, what fills when, and how an order ends."""

from decimal import Decimal

import pytest

from exchange.simulator.config import Refusal
from tests.exchange.simulator.world import World

CREATE = "private/create-order"


def refusal(world: World, **params: object) -> Refusal:
    """What a CRO_USD limit buy of 100 at 0.04, changed like this, is refused with."""
    asked = {"instrument_name": "CRO_USD", "side": "BUY", "type": "LIMIT", "quantity": "100", "price": "0.04"}
    with pytest.raises(Refusal) as caught:
        world.send_manually(
            CREATE, **{name: value for name, value in (asked | params).items() if value is not None}
        )
    return caught.value


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"instrument_name": "NO_USD"}, 209),
        ({"instrument_name": None}, 209),
        ({"instrument_name": "BTCUSD-PERP"}, 412),
        ({"side": "HOLD"}, 220),
        ({"side": None}, 40004),
        ({"type": "ICEBERG"}, 218),
        ({"time_in_force": "TODAY"}, 221),
        ({"exec_inst": ["HASTY"]}, 219),
        ({"exec_inst": "POST_ONLY"}, 40004),
        ({"price": "0.040001"}, 308),
        ({"price": "-1"}, 308),
        ({"price": "cheap"}, 308),
        ({"price": None}, 40004),
        ({"quantity": "100.5"}, 213),
        ({"quantity": "0"}, 213),
        ({"quantity": "1e40"}, 213),
        ({"quantity": None}, 40004),
        ({"client_oid": "x" * 37}, 40004),
        ({"fee_instrument_name": "DOGE"}, 215),
        ({"spot_margin": "MARGIN"}, 416),
        ({"spot_margin": "MAYBE"}, 50001),
        ({"exec_inst": ["POST_ONLY"], "time_in_force": "FILL_OR_KILL"}, 43005),
        ({"exec_inst": ["POST_ONLY"], "type": "MARKET"}, 43005),
        ({"quantity": "24"}, 415),
        ({"price": "0.06"}, 315),
        ({"price": "0.004", "quantity": "1000"}, 315),
        ({"quantity": "1000000"}, 306),
    ],
)
def test_it_is_refused_with_the_code_of_what_is_wrong(params, code):
    assert refusal(World(), **params).code == code


@pytest.mark.parametrize("code", [140001, 218, 40004])
def test_a_trigger_at_the_old_endpoint(code):
    assert refusal(World(old_endpoint_trigger=code), type="STOP_LOSS", ref_price="0.03").code == code


def test_a_refusal_for_funds_leaves_a_rejected_order_and_returns_its_ids():
    world = World()
    result = refusal(world, quantity="24", client_oid="small").result
    assert result == {"client_oid": "small", "order_id": world.order("small").order_id}
    assert (world.order("small").status, world.order("small").reason) == ("REJECTED", 415)


def test_or_it_leaves_nothing():
    world = World(refusal_ids="without_ids")
    assert refusal(world, quantity="24").result is None
    assert world.exchange.dump()["orders"] == []


def test_or_the_answer_accepts_and_the_order_is_rejected():
    world = World(refusal_ids="later")
    assert world.buy("CRO_USD", 24, "0.04").status == "REJECTED"


def test_the_minimum_is_a_dollar_and_a_cross_pair_counts_its_quote_in_dollars():
    world = World({"BTC": 1})
    assert world.buy("ETH_BTC", "0.001", "0.029").status == "ACTIVE"
    assert refusal(world, instrument_name="ETH_BTC", quantity="0.0005", price="0.029").code == 415


def test_a_client_id_lives_for_ever_and_across_name_spaces():
    world = World()
    world.cancel(world.buy("CRO_USD", 100, "0.04", client_oid="once"))
    assert refusal(world, client_oid="once").code == 204


def test_or_only_while_its_order_is_open():
    world = World(client_oid_unique="while_open")
    first = world.buy("CRO_USD", 100, "0.04", client_oid="twice")
    assert refusal(world, client_oid="twice").code == 204
    world.cancel(first)
    assert world.buy("CRO_USD", 100, "0.04", client_oid="twice").status == "ACTIVE"


def test_200_open_orders_a_pair_and_1000_in_all():
    world = World()
    for symbol, price in (("CRO_USD", "0.04"), ("XRP_USD", "0.6"), ("ADA_USD", "0.1"), ("DOGE_USD", "0.05")):
        for _ in range(200):
            world.buy(symbol, 30, price)
        assert refusal(world, instrument_name=symbol, quantity="30", price=price).code == 318
    for _ in range(200):
        world.buy("SOL_USD", "0.1", "50")
    assert len(world.open_orders()) == 1000
    assert refusal(world, instrument_name="BTC_USD", quantity="0.001", price="50000").code == 318


def test_a_resting_buy_fills_at_its_own_price_when_the_market_comes():
    world = World()
    order = world.buy("CRO_USD", 100, "0.04")
    world.set_price("CRO_USD", "0.04001")
    assert order.status == "ACTIVE"
    world.set_price("CRO_USD", "0.03")
    assert (order.status, order.cumulative_value) == ("FILLED", Decimal(4))


def test_an_order_meets_the_prices_between_two_requests():
    world = World()
    order = world.buy("BTC_USD", "0.1", "60000")
    world.prices.set_price("BTC_USD", world.now_ms() + 30_000, Decimal(59_000))
    world.prices.set_price("BTC_USD", world.now_ms() + 31_000, Decimal(62_000))
    world.tick(60)
    assert order.status == "FILLED"
    assert order.update_time_ns // 1_000_000 == world.now_ms() - 30_000


def test_a_crossing_limit_order_takes_at_the_market_price():
    world = World()
    order = world.buy("CRO_USD", 100, "0.04800")
    assert (order.status, order.cumulative_value) == ("FILLED", Decimal("4.711"))


def test_a_market_sell_fills_at_the_bid_with_the_fee_in_quote():
    world = World({"CRO": 100})
    order = world.sell("CRO_USD", 100)
    assert order.status == "FILLED"
    assert world.balance("USD") == Decimal("4.71") * (1 - Decimal("0.00485"))


def test_a_buy_pays_its_fee_in_the_coin_it_bought():
    world = World()
    world.buy("CRO_USD", 100, "0.048")
    assert world.balance("CRO") == 100 - Decimal("0.485")


def test_or_in_quote_on_request():
    world = World()
    world.buy("CRO_USD", 100, "0.048", fee_instrument_name="USD")
    assert world.balance("CRO") == 100
    assert world.balance("USD") == 10_000 - Decimal("4.711") * Decimal("1.00485")


def test_the_preferred_fee_token_is_not_there():
    world = World({"USD": "4.711"})
    world.buy("CRO_USD", 100, fee_instrument_name="USD")
    assert world.balance("USD") == 0
    assert world.balance("CRO") == 100 - Decimal("0.485")


def test_a_fee_in_a_third_token():
    world = World({"USD": 100, "USDT": 100})
    world.buy("CRO_USD", 1000, fee_instrument_name="USDT")
    assert world.balance("CRO") == 1000
    assert Decimal("99.7") < world.balance("USDT") < Decimal("99.8")
    assert world.exchange.audit() == []


@pytest.mark.parametrize("end", ["CANCELED", "EXPIRED", "REJECTED"])
@pytest.mark.parametrize(
    ("params", "option", "reason"),
    [
        ({"price": "0.04", "time_in_force": "IMMEDIATE_OR_CANCEL"}, "ioc_end", 43004),
        ({"price": "0.04", "time_in_force": "FILL_OR_KILL"}, "fok_end", 43003),
        ({"price": "0.048", "exec_inst": ["POST_ONLY"]}, "post_only_end", 43005),
    ],
)
def test_orders_that_end_at_once_without_a_fill(params, option, reason, end):
    order = World(**{option: end}).buy("CRO_USD", 100, **params)
    assert (order.status, order.reason, order.cumulative_quantity) == (end, reason, 0)


def test_smart_post_only_is_repriced_to_rest():
    order = World().buy("CRO_USD", 100, "0.048", exec_inst=["SMART_POST_ONLY"])
    assert (order.status, order.limit_price) == ("ACTIVE", Decimal("0.04710"))


def test_a_thin_market_fills_a_part_and_the_market_order_ends_canceled():
    world = World({"CRO": 100})
    world.set_liquidity("CRO_USD", 30)
    order = world.sell("CRO_USD", 100)
    assert (order.status, order.reason, order.cumulative_quantity) == ("CANCELED", 0, 30)


def test_immediate_or_cancel_keeps_the_part_it_got_and_fill_or_kill_wants_all():
    world = World()
    world.set_liquidity("CRO_USD", 30)
    part = world.buy("CRO_USD", 100, "0.048", time_in_force="IMMEDIATE_OR_CANCEL")
    none = world.buy("CRO_USD", 100, "0.048", time_in_force="FILL_OR_KILL")
    assert (part.status, part.cumulative_quantity) == ("CANCELED", 30)
    assert (none.status, none.cumulative_quantity) == ("CANCELED", 0)


def test_a_collar_around_mark_keeps_a_runaway_market_out():
    world = World({"CRO": 100}, collar="mark")
    world.set_mark_gap("CRO_USD", "0.10")
    order = world.sell("CRO_USD", 100)
    assert (order.status, order.cumulative_quantity) == ("CANCELED", 0)


@pytest.mark.parametrize("parts", [2, 5])
def test_a_resting_order_may_fill_in_parts(parts):
    world = World(partial_fills=parts)
    order = world.buy("CRO_USD", 1000, "0.04")
    world.set_price("CRO_USD", "0.04")
    assert (order.status, order.fills) == ("ACTIVE", 1)
    for _ in range(parts):
        world.tick()
    assert (order.status, order.fills) == ("FILLED", parts)


def test_quantity_wins_over_notional_or_both_are_refused():
    both = {
        "instrument_name": "CRO_USD",
        "side": "BUY",
        "type": "MARKET",
        "quantity": "100",
        "notional": "50",
    }
    world = World()
    assert world.order(world.send_manually(CREATE, **both)["order_id"]).cumulative_quantity == 100
    with pytest.raises(Refusal, match="40004"):
        World(notional_and_quantity="refused").send_manually(CREATE, **both)


def test_an_order_is_not_there_before_the_engine_has_it():
    world = World(ack_delay_ms=2000)
    order = world.buy("CRO_USD", 100, client_oid="fresh")
    with pytest.raises(Refusal, match="40401"):
        world.send_manually("private/get-order-detail", client_oid="fresh")
    assert world.send_manually("private/get-open-orders") == {"data": []}
    world.tick(2)
    assert order.status == "FILLED"


@pytest.mark.parametrize("status", ["PENDING", "NEW"])
def test_or_it_is_there_with_an_early_status(status):
    world = World(ack_delay_ms=2000, fresh_order=status)
    world.buy("CRO_USD", 100, "0.04", client_oid="fresh")
    assert world.send_manually("private/get-order-detail", client_oid="fresh")["status"] == status
    world.tick(2)
    assert world.send_manually("private/get-order-detail", client_oid="fresh")["status"] == "ACTIVE"


def test_an_unknown_order_may_be_an_empty_answer():
    assert World(unknown_order="empty").send_manually("private/get-order-detail", order_id="1") == {}


def test_cancel_by_either_id_and_only_once():
    world = World()
    order = world.buy("CRO_USD", 100, "0.04", client_oid="mine")
    assert world.send_manually("private/cancel-order", client_oid="mine")["order_id"] == order.order_id
    with pytest.raises(Refusal, match="316"):
        world.send_manually("private/cancel-order", order_id=order.order_id)


@pytest.mark.parametrize("code", [316, 40401, 212])
def test_cancel_of_an_unknown_order(code):
    with pytest.raises(Refusal, match=str(code)):
        World(cancel_unknown=code).send_manually("private/cancel-order", order_id="1")


def test_an_accepted_cancel_can_lose_the_race():
    world = World(cancel_delay_ms=2000)
    order = world.buy("CRO_USD", 100, "0.04")
    world.cancel(order)
    assert order.status == "ACTIVE"
    world.tick(1)
    world.set_price("CRO_USD", "0.039")
    assert order.status == "FILLED"


def test_or_win_it():
    world = World(cancel_delay_ms=2000)
    order = world.buy("CRO_USD", 100, "0.04")
    world.cancel(order)
    world.tick(2)
    world.set_price("CRO_USD", "0.039")
    assert order.status == "CANCELED"


def test_cancel_all_of_one_instrument():
    world = World()
    cro, btc = world.buy("CRO_USD", 100, "0.04"), world.buy("BTC_USD", "0.001", "50000")
    world.send_manually("private/cancel-all-orders", instrument_name="CRO_USD")
    assert (cro.status, btc.status) == ("CANCELED", "ACTIVE")


def test_amend_keeps_the_order_id_and_takes_the_new_client_id():
    world = World()
    order = world.buy("CRO_USD", 100, "0.04", client_oid="old")
    world.tick()
    asked = {"orig_client_oid": "old", "client_oid": "new", "new_price": "0.041", "new_quantity": "120"}
    assert world.send_manually("private/amend-order", **asked) == {
        "client_oid": "new",
        "order_id": order.order_id,
    }
    row = world.send_manually("private/get-order-detail", client_oid="new")
    assert (row["quantity"], row["limit_price"], row["order_value"]) == ("120", "0.04100", "4.920")
    assert row["update_time"] == row["create_time"] + 1000


@pytest.mark.parametrize(("meaning", "total"), [("total", 80), ("remaining", 110)])
def test_what_the_new_quantity_of_a_half_filled_order_means(meaning, total):
    world = World(amend_quantity=meaning)
    order = world.buy("CRO_USD", 100, "0.04")
    world.fill(order, 30)
    world.send_manually("private/amend-order", order_id=order.order_id, new_price="0.04", new_quantity="80")
    assert order.quantity == total


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"new_quantity": "100"}, 40004),
        ({"new_price": "0.04", "new_quantity": "100"}, 40004),
        ({"new_price": "0.04", "new_quantity": "99999999"}, 306),
        ({"new_price": "0.0401111", "new_quantity": "100"}, 308),
        ({"new_price": "0.09", "new_quantity": "100"}, 315),
    ],
)
def test_an_amend_that_cannot_be_changes_nothing(changes, code):
    world = World()
    order = world.buy("CRO_USD", 100, "0.04")
    with pytest.raises(Refusal, match=str(code)):
        world.send_manually("private/amend-order", order_id=order.order_id, **changes)
    assert (order.quantity, order.limit_price) == (100, Decimal("0.04"))


def test_a_finished_order_cannot_be_amended():
    world = World()
    order = world.buy("CRO_USD", 100)
    with pytest.raises(Refusal, match="212"):
        world.send_manually(
            "private/amend-order", order_id=order.order_id, new_price="0.04", new_quantity="50"
        )


def test_a_list_of_orders_has_an_outcome_for_each():
    world = World()
    leg = {"instrument_name": "CRO_USD", "side": "BUY", "type": "LIMIT", "price": "0.04"}
    legs = [leg | {"quantity": "100", "client_oid": "a"}, leg | {"quantity": "1", "client_oid": "b"}]
    answer = world.send_manually("private/create-order-list", contingency_type="LIST", order_list=legs)
    assert [(row["index"], row["code"], row["client_oid"]) for row in answer] == [(0, 0, "a"), (1, 415, "b")]


def test_or_carries_one_code_for_all_although_some_live():
    world = World(list_failure="code_10001")
    leg = {"instrument_name": "CRO_USD", "side": "BUY", "type": "LIMIT", "price": "0.04"}
    legs = [leg | {"quantity": "100"}, leg | {"quantity": "1"}]
    with pytest.raises(Refusal, match="10001") as caught:
        world.send_manually("private/create-order-list", contingency_type="LIST", order_list=legs)
    assert [row["code"] for row in caught.value.result["result_list"]] == [0, 415]


def test_linked_kinds_have_left_the_order_list_and_eleven_are_too_many():
    leg = {"instrument_name": "CRO_USD", "side": "BUY", "type": "LIMIT", "price": "0.04", "quantity": "100"}
    with pytest.raises(Refusal, match="140001"):
        World().send_manually("private/create-order-list", contingency_type="OCO", order_list=[leg, leg])
    with pytest.raises(Refusal, match="40004"):
        World().send_manually("private/create-order-list", contingency_type="LIST", order_list=[leg] * 11)
