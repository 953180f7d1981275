"""A simulated exchange for tests, with a clock and prices that move only when set, and a real client."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import requests

from exchange.client.client import Client
from exchange.client.ratelimit import Limiter
from exchange.simulator import control
from exchange.simulator.adapter import SimulatorAdapter
from exchange.simulator.config import BehaviourOptions, Refusal
from exchange.simulator.exchange import Exchange
from exchange.simulator.faults import Faults
from exchange.simulator.market_data import Prices
from exchange.simulator.markets import Catalogue
from exchange.simulator.models import FeeRates, Order
from exchange.simulator.server import App, make_app

START_MS = 1_785_587_290_000  # 2026-08-01 12:28:10 UTC
URL = "http://simulator/exchange/v1"
KEY, SECRET = "simulator-key", "simulator-secret"


class World:
    """Prices and time move only when set; rate limits and faults are off.

    `World({"USD": 1000, "CRO": 50})` opens an account with these balances; keyword arguments are behaviour options.
    """

    def __init__(
        self,
        balances: dict[str, Any] | None = None,
        *,
        start_ms: int = START_MS,
        catalogue: Catalogue | None = None,
        **behaviour: Any,
    ) -> None:
        self.clock_ms = start_ms
        self.prices = Prices(catalogue, seed=1, origin_ms=start_ms, volatility=0)
        self.exchange = Exchange(
            self.prices,
            now_ms=self.now_ms,
            behaviour=BehaviourOptions().with_changes(behaviour),
            key=KEY,
            secret=SECRET,
        )
        self.app: App = make_app(self.exchange, sleep=self.tick)
        self._numbers = itertools.count(1)
        for currency, amount in ({"USD": 10_000} if balances is None else balances).items():
            self.deposit(currency, amount)

    # time and market

    def now_ms(self) -> int:
        return self.clock_ms

    def seconds(self) -> float:
        """Its clock as the clock of the lease."""
        return self.clock_ms / 1000

    def tick(self, seconds: float = 1) -> None:
        """Time passes, and open orders are matched."""
        with self.exchange.lock:
            self.clock_ms += round(seconds * 1000)
            self.exchange.advance()

    def set_price(self, symbol: str, price: Any) -> None:
        """The market jumps to this price, and open orders are matched."""
        with self.exchange.lock:
            self.exchange.advance()
            control.set_price(self.exchange, symbol, Decimal(str(price)))

    def move(self, symbol: str, percent: Any) -> None:
        with self.exchange.lock:
            self.exchange.advance()
            control.move_price(self.exchange, symbol, Decimal(str(percent)))

    def set_mark_gap(self, symbol: str, ratio: Any) -> None:
        """Mark is last times (1 + ratio)."""
        with self.exchange.lock:
            control.set_mark_gap(self.exchange, symbol, Decimal(str(ratio)))

    def set_spread(self, symbol: str, ratio: Any) -> None:
        """Best bid and best ask are last times `ratio` apart; None is the usual spread."""
        self.control("price", instrument_name=symbol, spread=ratio)

    def change_rules(self, symbol: str, **row_fields: Any) -> None:
        """The exchange changes fields of the catalogue row while it runs."""
        self.control("rules", instrument_name=symbol, **row_fields)

    def set_liquidity(self, symbol: str, quantity: Any) -> None:
        """The depth that one taker order finds within the collar; None is unlimited."""
        self.control("liquidity", instrument_name=symbol, quantity=quantity)

    def price(self, symbol: str) -> Decimal:
        return self.prices.last(symbol, self.exchange.at_ms)

    # options and faults

    @property
    def faults(self) -> Faults:
        return self.exchange.faults

    def set_behaviour(self, **changes: Any) -> None:
        self.exchange.behaviour = self.exchange.behaviour.with_changes(changes)

    def set_fees(self, maker_bps: Any, taker_bps: Any) -> None:
        self.exchange.fees = FeeRates(Decimal(str(maker_bps)), Decimal(str(taker_bps)))

    def control(self, verb: str, **body: Any) -> dict[str, Any]:
        """A control verb in process; a refused one fails the test."""
        with self.exchange.lock:
            self.exchange.advance()
            status, answer = control.run(self.exchange, verb, body)
        if status != 200:
            raise AssertionError(answer)
        return answer

    # the account, manually

    def deposit(self, currency: str, amount: Any) -> None:
        with self.exchange.lock:
            self.exchange.deposit(currency, Decimal(str(amount)))

    def withdraw(self, currency: str, amount: Any, *, force: bool = False) -> None:
        with self.exchange.lock:
            control.withdraw_funds(self.exchange, currency, Decimal(str(amount)), force=force)

    def balance(self, currency: str) -> Decimal:
        return self.exchange.ledger.balance_of(currency)

    def send_manually(self, method: str, **params: Any) -> Any:
        """Any exchange method as the user, without client, keys and faults. Raises Refusal."""
        with self.exchange.lock:
            self.exchange.advance()
            status, answer = control.run(self.exchange, "order", {"method": method, "params": params})
        if status != 200:
            raise Refusal(answer.get("code", 0), answer["error"].partition(" ")[2], answer.get("result"))
        return answer["result"]

    def buy(self, symbol: str, quantity: Any, price: Any = None, **params: Any) -> Order:
        """A manual limit buy at a price, or a market buy."""
        return self._trade("BUY", symbol, quantity, price, params)

    def sell(self, symbol: str, quantity: Any, price: Any = None, **params: Any) -> Order:
        return self._trade("SELL", symbol, quantity, price, params)

    def _trade(self, side: str, symbol: str, quantity: Any, price: Any, params: dict[str, Any]) -> Order:
        kind = {"type": "MARKET"} if price is None else {"type": "LIMIT", "price": str(price)}
        order_params = {"instrument_name": symbol, "side": side, "quantity": str(quantity), **kind, **params}
        order_params.setdefault("client_oid", f"hand-{next(self._numbers)}")
        order_id = self.send_manually("private/create-order", **order_params)["order_id"]
        return self.exchange.stores["plain"].by_id[order_id]

    def fill(self, order: Order | str, quantity: Any = None, price: Any = None) -> Order:
        """Fill a quantity (default the remainder) of an open order."""
        with self.exchange.lock:
            return control.fill_order(
                self.exchange,
                order,
                quantity=None if quantity is None else Decimal(str(quantity)),
                price=None if price is None else Decimal(str(price)),
            )

    def cancel(self, order: Order) -> None:
        """A manual cancel, in the order's own name space."""
        middle = "advanced/" if order.name_space == "advanced" else ""
        self.send_manually(f"private/{middle}cancel-order", order_id=order.order_id)

    def hide(self, order: Order, seconds: float) -> None:
        self.control("hide", order_id=order.order_id, seconds=seconds)

    # reading

    def order(self, some_id: str) -> Order:
        """The exchange's own record by client id (the newest), order id or exchange id."""
        for store in self.exchange.stores.values():
            found = store.find(None, some_id)
            if found is not None:
                return found
        return control.find_order(self.exchange, some_id)

    def open_orders(self) -> list[Order]:
        return list(self.exchange.open_orders())

    # the client

    def session(self) -> requests.Session:
        session = requests.Session()
        session.mount("http://simulator", SimulatorAdapter(self.app))
        return session

    def client(self, **options: Any) -> Client:
        """A real client with the clock, sleep and transport of this world; `options` override."""
        limiter = Limiter(self.now_ms, self.tick, enabled=False)
        settings = {
            "session": self.session(),
            "now_ms": self.now_ms,
            "sleep": self.tick,
            "limiter": limiter,
            **options,
        }
        return Client(URL, KEY, SECRET, **settings)
