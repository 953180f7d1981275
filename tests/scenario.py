"""One fixed scenario of an account in which everything that can happen to an order happens once."""

import contextlib
from collections.abc import Callable, Collection
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchange.client.client import Client
from exchange.client.errors import ExchangeError
from exchange.schemas import NameSpace, NewOrder
from exchange.simulator.config import Refusal
from exchange.simulator.markets import Catalogue, recorded_catalogue
from tests.exchange.simulator.world import World

BALANCES = {"USD": 100_000, "BTC": 2, "ETH": 10, "SOL": 100, "CRO": 20_000}
PRICES = {"BTC_USD": "60000", "ETH_USD": "3000", "SOL_USD": "150", "CRO_USD": "0.1"}
PLAIN, ADVANCED = NameSpace.PLAIN, NameSpace.ADVANCED
TEXT_FIELDS = ("exec_inst", "time_in_force", "fee_instrument_name")
PAUSE_S = 3  # longer than any delay of acknowledgement or cancel among the behaviour options


def small_catalogue(symbols: Collection[str]) -> Catalogue:
    """Only these markets: with all of them most of a cycle's time would go into tickers."""
    whole = recorded_catalogue()
    return replace(whole, markets={symbol: whole.markets[symbol] for symbol in symbols})


def new_world(**behaviour: Any) -> World:
    """The account before the first event; the exchange's own rate limits are on."""
    world = World(BALANCES, catalogue=small_catalogue(PRICES), **behaviour)
    world.exchange.limits.enabled = True
    for symbol, price in PRICES.items():
        world.set_price(symbol, price)
    return world


class Scenario:
    """Runs EVENTS; `on_pause` is called in the middle of events. `rejected`: events that ended early, with the code."""

    def __init__(self, world: World, client: Client, on_pause: Callable[[], None]) -> None:
        self.world, self.client, self.on_pause = world, client, on_pause
        self.numbers = 0
        self.rejected: dict[str, int | None] = {}

    def run(self) -> None:
        self.world.tick(PAUSE_S)
        for event in EVENTS:
            try:
                event(self)
            except (ExchangeError, Refusal, ValueError) as refusal:
                self.rejected[event.__name__] = getattr(refusal, "code", None)
            self.world.tick(PAUSE_S)

    def pause(self) -> None:
        """Run `on_pause` in the middle of an event; no two clients send in one millisecond."""
        self.world.tick(1)
        self.on_pause()
        self.world.tick(1)

    def place(self, side: str, kind: str, symbol: str, quantity: Any = None, **values: Any) -> str:
        """Place an order with our client. Returns its client id, which finds the order whatever the answer was."""
        self.numbers += 1
        order = self._order(side, kind, symbol, quantity, f"ours-{self.numbers}", values)
        space = ADVANCED if order.ref_price else PLAIN
        with contextlib.suppress(ExchangeError):
            self.client.order_create(space, order)
        return order.client_oid

    def pair(self, target: str, stop: str) -> None:
        """A native OCO over one ETH."""
        self.numbers += 1
        name = f"ours-{self.numbers}"
        first = self._order("SELL", "LIMIT", "ETH_USD", 1, f"{name}-t", {"price": target})
        second = self._order("SELL", "STOP_LOSS", "ETH_USD", 1, f"{name}-s", {"ref_price": stop})
        with contextlib.suppress(ExchangeError):
            self.client.oco_create(first, second)

    def send_manually(self, method: str, **params: Any) -> Any:
        return self.world.send_manually(method, **{name: _text(value) for name, value in params.items()})

    def _order(
        self, side: str, kind: str, symbol: str, quantity: Any, client_oid: str, values: dict[str, Any]
    ) -> NewOrder:
        numbers = {name: Decimal(value) for name, value in values.items() if name not in TEXT_FIELDS}
        texts = {name: value for name, value in values.items() if name in TEXT_FIELDS}
        return NewOrder(
            instrument_name=symbol,
            side=side,
            type=kind,
            client_oid=client_oid,
            quantity=None if quantity is None else Decimal(quantity),
            **numbers,
            **texts,
        )


def _text(value: Any) -> Any:
    return value if isinstance(value, list) else str(value)


def limit_filled_in_two_parts(scenario: Scenario) -> None:
    client_oid = scenario.place("BUY", "LIMIT", "BTC_USD", "0.02", price="59000")
    scenario.world.tick(PAUSE_S)
    scenario.world.fill(scenario.world.order(client_oid), "0.005")
    scenario.pause()
    scenario.world.set_price("BTC_USD", "58500")
    scenario.world.tick(PAUSE_S)
    scenario.world.tick(PAUSE_S)
    scenario.world.set_price("BTC_USD", "60000")


def limit_partly_filled_then_cancelled(scenario: Scenario) -> None:
    client_oid = scenario.place("SELL", "LIMIT", "BTC_USD", "0.03", price="61000")
    scenario.world.tick(PAUSE_S)
    scenario.world.fill(scenario.world.order(client_oid), "0.01")
    scenario.pause()
    scenario.client.order_cancel(PLAIN, client_oid=client_oid)


def limit_cancelled_manually(scenario: Scenario) -> None:
    client_oid = scenario.place("BUY", "LIMIT", "SOL_USD", "1", price="140")
    scenario.world.tick(PAUSE_S)
    scenario.pause()
    scenario.world.cancel(scenario.world.order(client_oid))


def cancelled_twice_and_unknown(scenario: Scenario) -> None:
    client_oid = scenario.place("BUY", "LIMIT", "SOL_USD", "1", price="141")
    scenario.world.tick(PAUSE_S)
    for name in (client_oid, client_oid, "unknown"):
        with contextlib.suppress(ExchangeError):
            scenario.client.order_cancel(PLAIN, client_oid=name)
        scenario.world.tick(PAUSE_S)


def market_orders(scenario: Scenario) -> None:
    scenario.place("BUY", "MARKET", "BTC_USD", "0.01")
    scenario.place("SELL", "MARKET", "BTC_USD", "0.004", fee_instrument_name="USDT")
    scenario.place("BUY", "MARKET", "SOL_USD", "1.5", fee_instrument_name="USD")


def notional_buy(scenario: Scenario) -> None:
    scenario.place("BUY", "MARKET", "SOL_USD", notional="100.37")
    scenario.place("BUY", "MARKET", "SOL_USD", "2", notional="55.5")


def market_order_outside_the_collar(scenario: Scenario) -> None:
    scenario.world.set_mark_gap("CRO_USD", "0.3")
    scenario.send_manually(
        "private/create-order", instrument_name="CRO_USD", side="SELL", type="MARKET", quantity=100
    )
    scenario.world.set_mark_gap("CRO_USD", "0")


def orders_with_time_in_force(scenario: Scenario) -> None:
    """IMMEDIATE_OR_CANCEL, FILL_OR_KILL and POST_ONLY, with prices at which each ends at once."""
    order_params = {"instrument_name": "SOL_USD", "side": "BUY", "type": "LIMIT", "quantity": 1, "price": 140}
    for extra in (
        {"time_in_force": "IMMEDIATE_OR_CANCEL"},
        {"time_in_force": "FILL_OR_KILL"},
        {"exec_inst": ["POST_ONLY"], "price": 155},
        {"exec_inst": ["POST_ONLY"], "time_in_force": "IMMEDIATE_OR_CANCEL"},
        {"exec_inst": ["SMART_POST_ONLY"], "price": 151},
    ):
        with contextlib.suppress(Refusal):
            scenario.send_manually("private/create-order", **order_params | extra)


def refused_orders(scenario: Scenario) -> None:
    """No funds, too small, too far from the market, a trigger order at the old endpoint."""
    scenario.place("BUY", "LIMIT", "BTC_USD", "50", price="59000")
    scenario.place("BUY", "LIMIT", "SOL_USD", "0.001", price="140")
    scenario.place("BUY", "LIMIT", "SOL_USD", "0.01", price="1500")
    order_params = {"instrument_name": "SOL_USD", "side": "SELL", "type": "STOP_LOSS", "quantity": 1}
    scenario.send_manually("private/create-order", **order_params, ref_price=140)


def stop_that_triggers(scenario: Scenario) -> None:
    scenario.place("SELL", "STOP_LOSS", "SOL_USD", "2", ref_price="120")
    scenario.place("SELL", "STOP_LIMIT", "SOL_USD", "3", ref_price="121", price="122")
    scenario.world.tick(PAUSE_S)
    scenario.pause()
    scenario.world.set_price("SOL_USD", "120")
    scenario.world.tick(PAUSE_S)
    scenario.world.set_price("SOL_USD", "119")
    scenario.world.tick(PAUSE_S)
    scenario.pause()
    scenario.world.set_price("SOL_USD", "150")


def stop_without_funds(scenario: Scenario) -> None:
    scenario.place("SELL", "STOP_LOSS", "CRO_USD", "500", ref_price="0.08")
    scenario.world.tick(PAUSE_S)
    cro_balance = scenario.world.balance("CRO")
    scenario.world.withdraw("CRO", cro_balance, force=True)
    scenario.world.set_price("CRO_USD", "0.07")
    scenario.world.tick(PAUSE_S)
    scenario.world.set_price("CRO_USD", "0.1")
    scenario.world.deposit("CRO", cro_balance)


def stop_amended_and_cancelled_manually(scenario: Scenario) -> None:
    order = scenario.world.order(scenario.place("SELL", "STOP_LOSS", "SOL_USD", "4", ref_price="100"))
    scenario.world.tick(PAUSE_S)
    amend = {"order_id": order.order_id, "new_quantity": 5, "new_ref_price": 101}
    with contextlib.suppress(Refusal):
        scenario.send_manually("private/advanced/amend-order", **amend)
    scenario.send_manually("private/advanced/amend-order", **amend, new_price=0)
    scenario.pause()
    scenario.world.cancel(order)


def limit_amended_manually(scenario: Scenario) -> None:
    order = scenario.world.order(scenario.place("BUY", "LIMIT", "SOL_USD", "4", price="130"))
    scenario.world.tick(PAUSE_S)
    scenario.world.fill(order, "1")
    scenario.pause()
    scenario.send_manually("private/amend-order", order_id=order.order_id, new_price=131, new_quantity=3)
    scenario.world.tick(PAUSE_S)
    scenario.world.fill(order)


def pair_whose_target_fills(scenario: Scenario) -> None:
    scenario.pair("3300", "2700")
    scenario.world.tick(PAUSE_S)
    scenario.pause()
    scenario.world.set_price("ETH_USD", "3300")
    scenario.world.tick(PAUSE_S)
    scenario.world.tick(PAUSE_S)
    scenario.world.set_price("ETH_USD", "3000")


def pair_whose_stop_fills(scenario: Scenario) -> None:
    scenario.pair("3310", "2710")
    scenario.world.tick(PAUSE_S)
    scenario.pause()
    scenario.world.set_price("ETH_USD", "2709")
    scenario.world.tick(PAUSE_S)
    scenario.world.set_price("ETH_USD", "3000")


def pair_whose_target_fills_in_part(scenario: Scenario) -> None:
    scenario.pair("3320", "2720")
    scenario.world.tick(PAUSE_S)
    scenario.world.fill(scenario.world.order(f"ours-{scenario.numbers}-t"), "0.4")
    scenario.world.tick(PAUSE_S)


def pairs_cancelled_manually(scenario: Scenario) -> None:
    """One leg; and the whole list, whose legs carry no client ids."""
    scenario.pair("3330", "2730")
    scenario.world.tick(PAUSE_S)
    legs = [
        {"instrument_name": "ETH_USD", "side": "SELL", "type": "LIMIT", "quantity": "1", "price": "3340"},
        {
            "instrument_name": "ETH_USD",
            "side": "SELL",
            "type": "STOP_LOSS",
            "quantity": "1",
            "ref_price": "2740",
        },
    ]
    linked = scenario.world.send_manually("private/advanced/create-oco", order_list=legs)["list_id"]
    scenario.world.tick(PAUSE_S)
    scenario.pause()
    scenario.world.cancel(scenario.world.order(f"ours-{scenario.numbers}-s"))
    scenario.world.tick(PAUSE_S)
    scenario.send_manually("private/advanced/cancel-oco", list_id=linked)


def one_client_id_used_repeatedly(scenario: Scenario) -> None:
    """Manually, in both name spaces, open and finished."""
    for _ in range(2):
        with contextlib.suppress(Refusal):
            order_params = {"instrument_name": "SOL_USD", "side": "SELL", "type": "STOP_LOSS", "quantity": 1}
            scenario.send_manually(
                "private/advanced/create-order", **order_params, ref_price=100, client_oid="again"
            )
            scenario.world.cancel(scenario.world.order("again"))
            scenario.world.tick(PAUSE_S)
    with contextlib.suppress(Refusal):
        scenario.world.cancel(scenario.world.buy("SOL_USD", "1", "140", client_oid="again"))


def order_hidden_for_a_while(scenario: Scenario) -> None:
    """An order that works but cannot be read for 40 seconds, and a lookup of an order that does not exist."""
    order = scenario.world.order(scenario.place("BUY", "LIMIT", "SOL_USD", "1", price="139"))
    scenario.world.tick(PAUSE_S)
    scenario.pause()
    scenario.world.hide(order, 40)
    scenario.pause()
    if scenario.client.order_detail(PLAIN, client_oid="unknown") is not None:
        raise AssertionError("an order that does not exist is found")


def everything_cancelled(scenario: Scenario) -> None:
    scenario.place("BUY", "LIMIT", "BTC_USD", "0.01", price="55000")
    scenario.place("SELL", "STOP_LOSS", "BTC_USD", "0.01", ref_price="50000")
    scenario.world.tick(PAUSE_S)
    scenario.pause()
    scenario.client.orders_cancel_all(PLAIN, instrument_name="BTC_USD")
    scenario.client.orders_cancel_all(ADVANCED, instrument_name="BTC_USD")


def leg_amended_manually(scenario: Scenario) -> None:
    """Through the plain endpoint, which may refuse it (option plain_amend_of_legs)."""
    scenario.pair("3350", "2750")
    scenario.world.tick(PAUSE_S)
    scenario.pause()
    target = scenario.world.order(f"ours-{scenario.numbers}-t")
    with contextlib.suppress(Refusal):
        scenario.send_manually(
            "private/amend-order", order_id=target.order_id, new_price=3360, new_quantity=1
        )
    scenario.pause()
    scenario.world.cancel(target)


def orders_with_rare_parameters(scenario: Scenario) -> None:
    """Self-trade prevention of scope D; a trigger far above the market."""
    order_params = {"instrument_name": "SOL_USD", "side": "BUY", "quantity": 1}
    with contextlib.suppress(Refusal):
        rare = {"stp_scope": "D", "stp_inst": "M", "client_oid": "rare"}
        scenario.send_manually("private/create-order", **order_params, type="LIMIT", price=135, **rare)
    scenario.send_manually(
        "private/advanced/create-order", **order_params, type="STOP_LOSS", ref_price=400, client_oid="far"
    )


def orders_left_open(scenario: Scenario) -> None:
    scenario.place("BUY", "LIMIT", "BTC_USD", "0.01", price="50000")
    scenario.place("SELL", "LIMIT", "BTC_USD", "0.02", price="70000")
    scenario.place("SELL", "STOP_LOSS", "BTC_USD", "0.02", ref_price="45000")
    scenario.pair("4000", "2000")


EVENTS = (
    limit_filled_in_two_parts,
    limit_partly_filled_then_cancelled,
    limit_cancelled_manually,
    cancelled_twice_and_unknown,
    market_orders,
    notional_buy,
    market_order_outside_the_collar,
    orders_with_time_in_force,
    refused_orders,
    stop_that_triggers,
    stop_without_funds,
    stop_amended_and_cancelled_manually,
    limit_amended_manually,
    pair_whose_target_fills,
    pair_whose_stop_fills,
    pair_whose_target_fills_in_part,
    pairs_cancelled_manually,
    one_client_id_used_repeatedly,
    order_hidden_for_a_while,
    leg_amended_manually,
    orders_with_rare_parameters,
    everything_cancelled,
    orders_left_open,
)
