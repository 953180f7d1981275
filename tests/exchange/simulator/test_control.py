"""The controls over HTTP, as a person or a script uses them."""

import json
from decimal import Decimal

import pytest

from exchange.client.errors import AuthError
from exchange.schemas import NameSpace
from exchange.simulator.config import Refusal
from exchange.simulator.persistence import load, save
from tests.exchange.simulator.world import World


def control(world: World, verb: str, **body: object) -> tuple[int, dict]:
    answer = world.session().post(f"http://simulator/_control/{verb}", json=body, timeout=10)
    return answer.status_code, answer.json()


def test_set_and_move_a_price():
    world = World()
    assert control(world, "price", instrument_name="CRO_USD", price="0.05")[1]["last"] == "0.05000"
    assert control(world, "price", instrument_name="CRO_USD", percent=10)[1]["last"] == "0.05500"
    gap = control(world, "price", instrument_name="CRO_USD", mark_gap="-0.1")[1]
    assert Decimal(gap["mark"]) == Decimal("0.0495")


def test_fill_a_part_then_the_rest():
    world = World()
    order_id = world.buy("CRO_USD", 100, "0.04").order_id
    assert control(world, "fill", order_id=order_id, quantity="30")[1] == {
        "order_id": order_id,
        "status": "ACTIVE",
        "executed": "30",
    }
    assert control(world, "fill", order_id=order_id)[1]["status"] == "FILLED"
    assert control(world, "fill", order_id=order_id)[0] == 400


def test_fill_an_untriggered_stop_by_either_id():
    world = World({"CRO": 100})
    asked = {"instrument_name": "CRO_USD", "side": "SELL", "type": "STOP_LOSS", "quantity": "100"}
    order_id = world.send_manually("private/advanced/create-order", **asked, ref_price="0.045")["order_id"]
    world.fill(order_id, 60)
    assert control(world, "fill", order_id=world.order(order_id).exchange_order_id)[1]["status"] == "FILLED"


@pytest.mark.parametrize("quantity", ["0", "101", "-1"])
def test_a_fill_beyond_the_rest_is_refused(quantity):
    world = World()
    order = world.buy("CRO_USD", 100, "0.04")
    assert control(world, "fill", order_id=order.order_id, quantity=quantity)[0] == 400
    assert order.cumulative_quantity == 0


def test_act_as_the_user():
    world = World()
    params = {
        "instrument_name": "CRO_USD",
        "side": "BUY",
        "type": "LIMIT",
        "quantity": "100",
        "price": "0.04",
    }
    result = control(world, "order", method="private/create-order", params=params)[1]["result"]
    assert control(world, "order", method="private/cancel-order", params=result)[0] == 200
    status, answer = control(world, "order", method="private/cancel-order", params=result)
    assert (status, answer["code"]) == (400, 316)


def test_money_in_and_out():
    world = World({"USD": 100})
    assert control(world, "deposit", currency="BTC", amount="0.5")[1] == {"balance": "0.5"}
    assert control(world, "withdraw", currency="USD", amount="100")[1] == {"balance": "0"}
    assert control(world, "withdraw", currency="USD", amount="1")[1]["code"] == 30024


def test_behaviour_options_are_changed_and_listed_with_their_choices():
    world = World()
    answer = control(world, "quirks", collar="mark", ack_delay_ms=350)[1]
    assert (answer["quirks"]["collar"], answer["choices"]["collar"]) == ("mark", ["best", "mark"])
    assert world.exchange.behaviour.ack_delay_ms == 350
    assert control(world, "quirks", collar="none")[0] == 400
    assert control(world, "quirks", no_such="x")[0] == 400


def test_fees_keys_and_a_clock_that_is_wrong():
    world = World()
    assert control(world, "fees", maker_bps="1", taker_bps="2")[1] == {"maker_bps": "1", "taker_bps": "2"}
    assert control(world, "access", key="second", secret="s")[1]["keys"] == ["second", "simulator-key"]
    assert control(world, "clock", skew_ms=-61_000)[1]["now_ms"] == world.now_ms() - 61_000


def test_the_state_is_everything_in_plain_json():
    world = World({"CRO": 100, "USD": 100})
    world.sell("CRO_USD", 50)
    state = control(world, "state")[1]
    assert state == json.loads(json.dumps(world.exchange.dump()))
    assert [order["status"] for order in state["orders"]] == ["FILLED"]
    assert world.session().get("http://simulator/_control/state", timeout=10).json() == state


def test_an_unknown_control_lists_the_known_ones():
    status, answer = control(World(), "explode")
    assert (status, "price" in answer["controls"]) == (404, True)


def test_another_machine_and_a_web_page_are_kept_out():
    world = World()
    page = world.session().post(
        "http://simulator/_control/state", headers={"Origin": "http://evil"}, timeout=10
    )
    assert page.status_code == 403
    far = {"PATH_INFO": "/_control/state", "REMOTE_ADDR": "192.168.1.9"}
    assert world.app.handle(far).status == 403
    foreign = {"PATH_INFO": "/_control/state", "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "evil.example:8003"}
    assert world.app.handle(foreign).status == 403


def test_elsewhere_there_is_nothing():
    assert World().session().get("http://simulator/other", timeout=10).status_code == 404


def test_best_bid_and_ask_may_be_far_apart():
    world = World()
    world.set_price("CRO_USD", "0.1")
    world.set_spread("CRO_USD", "0.1")
    ticker = world.client().tickers("CRO_USD")[0]
    assert (ticker.bid, ticker.ask) == (Decimal("0.09500"), Decimal("0.10500"))
    world.set_spread("CRO_USD", None)
    assert world.client().tickers("CRO_USD")[0].ask == Decimal("0.10001")


def test_the_rules_of_an_instrument_change_while_it_runs():
    world = World({"CRO": 1000})
    answer = control(world, "rules", instrument_name="CRO_USD", price_tick_size="0.001", qty_tick_size="10")
    assert answer == (200, {"price_tick_size": "0.001", "qty_tick_size": "10", "tradable": True})
    asked = {"instrument_name": "CRO_USD", "side": "SELL", "type": "LIMIT", "quantity": "100"}
    for code, changes in ((308, {"price": "0.0501"}), (213, {"price": "0.05", "quantity": "105"})):
        with pytest.raises(Refusal) as refused:
            world.send_manually("private/create-order", **asked | changes)
        assert refused.value.code == code
    (row,) = [each for each in world.client().instruments() if each.symbol == "CRO_USD"]
    assert (row.price_tick_size, row.qty_tick_size) == (Decimal("0.001"), Decimal(10))
    assert world.price("CRO_USD") % Decimal("0.001") == 0
    assert control(world, "rules", instrument_name="CRO_USD", colour="red")[0] == 400


def test_a_key_without_the_right_to_trade_may_read():
    world = World({"CRO": 1000})
    control(world, "access", may_trade=False)
    client = world.client()
    assert client.open_orders(NameSpace.PLAIN) == []
    with pytest.raises(AuthError):
        client.orders_cancel_all(NameSpace.PLAIN)


def test_spread_rules_and_rights_survive_a_restart(tmp_path):
    world = World({"CRO": 1000})
    world.set_spread("CRO_USD", "0.1")
    world.change_rules("CRO_USD", qty_tick_size="10")
    control(world, "access", may_trade=False)
    save(tmp_path / "state.json", world.exchange, world.prices)
    exchange, prices = load(tmp_path / "state.json", world.now_ms)
    assert exchange.instruments["CRO_USD"].lot == 10
    assert not exchange.may_trade
    assert prices.ask("CRO_USD", world.now_ms()) == world.prices.ask("CRO_USD", world.now_ms())


def test_an_open_order_keeps_its_numbers_when_the_rules_change():
    world = World({"CRO": 1000})
    world.sell("CRO_USD", 105, "0.12345")
    world.change_rules("CRO_USD", price_tick_size="0.001", qty_tick_size="10")
    (order,) = world.client().open_orders(NameSpace.PLAIN)
    assert (order.limit_price, order.quantity) == (Decimal("0.12345"), 105)
