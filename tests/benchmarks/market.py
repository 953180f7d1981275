"""A simulated account with many orders, in this process or served on loopback by another one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from threading import Thread
from typing import Any

from exchange.simulator.exchange import Exchange
from exchange.simulator.market_data import Prices
from exchange.simulator.models import ADVANCED, NS_PER_MS, PLAIN, Order, Trade
from exchange.simulator.server import make_app, serve

KEY, SECRET = "simulator-key", "simulator-secret"
SYMBOLS = [f"{coin}_USD" for coin in ("BTC", "ETH", "SOL", "XRP", "CRO", "DOGE", "ADA", "LINK", "LTC", "DOT")]
LIMIT: dict[str, Any] = {"order_type": "LIMIT"}
STOP: dict[str, Any] = {"order_type": "STOP_LIMIT", "ref_price_type": "MARK_PRICE"}


def market(*, now_ms: Callable[[], int], open_orders: int = 0, stops: bool = True) -> Exchange:
    """Prices stand still, nothing is limited, and the account can pay for everything."""
    prices = Prices(seed=1, origin_ms=now_ms(), volatility=0)
    exchange = Exchange(prices, now_ms=now_ms, key=KEY, secret=SECRET)
    for currency in ("USD", *(symbol.removesuffix("_USD") for symbol in SYMBOLS)):
        exchange.deposit(currency, Decimal(1_000_000_000))
    add_open_orders(exchange, open_orders, stops=stops)
    return exchange


def add_open_orders(exchange: Exchange, count: int, *, stops: bool = True) -> None:
    """`count` orders far from the market, every tenth a stop."""
    for number in range(count):
        exchange.add_order(_resting(exchange, number, stop=stops and number % 10 == 9))


def _resting(exchange: Exchange, number: int, *, stop: bool) -> Order:
    """A limit buy, or a stop in the other name space, at half the price."""
    symbol = SYMBOLS[number % len(SYMBOLS)]
    price = _on_tick(exchange, symbol, exchange.prices.last(symbol, exchange.at_ms) / 2)
    return Order(
        name_space=ADVANCED if stop else PLAIN,
        order_id=exchange.ids.next(ADVANCED if stop else PLAIN),
        client_oid=f"resting-{number}",
        instrument_name=symbol,
        side="SELL" if stop else "BUY",
        quantity=exchange.instruments[symbol].lot * 10,
        fee_instrument_name="USD",
        limit_price=price,
        ref_price=price if stop else None,
        order_value=price * exchange.instruments[symbol].lot * 10,
        entered=not stop,
        **_times((exchange.at_ms - number) * NS_PER_MS),
        **(STOP if stop else LIMIT),
    )


def execute(exchange: Exchange, count: int, *, start_ms: int, end_ms: int) -> None:
    """`count` orders that were filled evenly over [start_ms, end_ms), each with its trade."""
    for number in range(count):
        ns = start_ms * NS_PER_MS + (end_ms - start_ms) * NS_PER_MS * number // count
        order = _filled(exchange, number, ns)
        exchange.add_order(order)
        exchange.add_trade(_trade(exchange, order, ns))


def _filled(exchange: Exchange, number: int, ns: int) -> Order:
    symbol = SYMBOLS[number % len(SYMBOLS)]
    price = exchange.prices.last(symbol, exchange.at_ms)
    quantity = exchange.instruments[symbol].lot * (1 + number % 7)
    return Order(
        name_space=PLAIN,
        order_id=exchange.ids.next(PLAIN),
        client_oid=f"done-{number}-{ns}",
        instrument_name=symbol,
        side="SELL",  # so that there is nothing to protect
        order_type="LIMIT",
        quantity=quantity,
        fee_instrument_name="USD",
        limit_price=price,
        order_value=quantity * price,
        status="FILLED",
        cumulative_quantity=quantity,
        cumulative_value=quantity * price,
        cumulative_fee=Decimal("0.0125"),
        fills=1,
        entered=True,
        **_times(ns),
    )


def _trade(exchange: Exchange, order: Order, ns: int) -> Trade:
    return Trade(
        trade_id=exchange.ids.next("trade"),
        trade_match_id=exchange.ids.next("match"),
        order_id=order.order_id,
        client_oid=order.client_oid,
        instrument_name=order.instrument_name,
        side=order.side,
        taker_side="MAKER",
        quantity=order.quantity,
        price=order.limit_price or Decimal(0),
        fee=Decimal("-0.0125"),
        fee_instrument_name="USD",
        create_time_ns=ns,
    )


def _times(ns: int) -> dict[str, Any]:
    return {"create_time_ns": ns, "update_time_ns": ns}


def _on_tick(exchange: Exchange, symbol: str, price: Decimal) -> Decimal:
    tick = exchange.instruments[symbol].price_tick
    return price // tick * tick


# served by a process of its own: `python -m tests.benchmarks.market`


def real_ms() -> int:
    return time.time_ns() // NS_PER_MS


class Served:
    """A market at `address`; it goes on until its input ends."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.address = self._answer()

    def execute(self, count: int, *, start_ms: int, end_ms: int) -> None:
        assert self._process.stdin is not None
        print(count, start_ms, end_ms, file=self._process.stdin, flush=True)
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def served(open_orders: int, *, stops: bool = True) -> Iterator[Served]:
    """Every tenth of the open orders is a stop, unless without `stops`."""
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.market",
        str(open_orders),
        *(["stops"] if stops else []),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Served(process)


def main() -> None:
    exchange = market(now_ms=real_ms, open_orders=int(sys.argv[1]), stops="stops" in sys.argv)
    server = serve(make_app(exchange))
    Thread(target=server.run, daemon=True).start()
    print(server.address, flush=True)
    for line in sys.stdin:
        count, start_ms, end_ms = map(int, line.split())
        with exchange.lock:
            exchange.advance()
            execute(exchange, count, start_ms=start_ms, end_ms=end_ms)
        print("done", flush=True)
    server.stop()


if __name__ == "__main__":
    main()
