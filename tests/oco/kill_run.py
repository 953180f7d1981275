"""Worker processes with a simulator over HTTP, killed at any moment; checked by the exchange's own record.

With the user stream they listen to it over a socket, and where it is failing its troubles change while they run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random

from exchange.schemas.orders import STOP_ORDER_TYPES
from exchange.simulator import control
from exchange.simulator.config import Refusal
from exchange.simulator.exchange import Exchange
from exchange.simulator.instruments import floor_to
from exchange.simulator.market_data import Prices
from exchange.simulator.models import Order, Trade
from exchange.simulator.server import App, running_server
from exchange.simulator.stream_server import running_streams
from oco.engine.types import PREFIX
from tests.scenario import small_catalogue

ROOT = Path(__file__).parent.parent.parent
PRICES = {"BTC_USD": "60000", "ETH_USD": "3000"}
OWN = {"BTC": Decimal("0.5"), "ETH": Decimal(10)}  # the user's own coins, never protected
DUST, ZERO = Decimal("0.0002"), Decimal(0)
MIN_BOUGHT_BACK = Decimal("0.9")  # the worst case of a buy-back: stop 5 %, max buy price 3 %, fees
BUY_BACK = "from oco.policies import policy_for; row = policy_for('', 'SELL'); row.enabled = True; row.save()"
MODES = ("off", "on", "failing")  # of the user stream
BALANCE = "private/user-balance"  # once a cycle
SUBSCRIBED_S = 8  # a worker listens after so long, unless the stream is failing
TROUBLES = (
    {"kind": "drop", "probability": 0.2},
    {"kind": "drop", "method": "user.trade"},
    {"kind": "delay", "ms": 300},
    {"kind": "delay", "method": "user.trade", "ms": 3000},
    {"kind": "late_snapshot", "ms": 2000},
    {"kind": "duplicate"},
    {"kind": "reorder", "every": 2},
    {"kind": "mute"},
    {"kind": "numbers"},
    {"kind": "unknown_fields"},
    {"kind": "unknown_channel", "every": 3},
    {"kind": "lie", "method": "user.trade", "values": {"traded_quantity": "1e59"}},
    {"kind": "lie", "method": "user.*order", "values": {"cumulative_quantity": "-1"}},
    {"kind": "garbage", "every": 3},
    {"kind": "truncate", "every": 4},
    {"kind": "close", "method": "user.*", "every": 5, "code": 1001},
    {"kind": "reset", "method": "user.*", "every": 5},
    {"kind": "dead", "method": "user.*", "every": 5},
    {"kind": "refuse", "method": "public/auth", "code": 50001, "times": 2},
)
KEY = {"key": "dry-run-key", "secret": "dry-run-secret"}


class KillingApp(App):
    """Kills its client at the n-th request from now, before or after processing it."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self.victim, self.left, self.after = 0, 0, False
        self.calls = Counter[str]()

    def aim(self, victim: int, nth: int, *, after: bool) -> None:
        self.victim, self.left, self.after = victim, nth, after

    def handle_api_call(self, request):  # type: ignore[no-untyped-def]
        self.calls[request.method] += 1
        self.left -= 1
        due = self.left == 0
        if due and not self.after:
            self.shoot()
        reply = super().handle_api_call(request)
        if due and self.after:
            self.shoot()
        return reply

    def shoot(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.victim, signal.SIGKILL)


class KillRun:
    """One exchange, one database, and at most one running worker."""

    def __init__(
        self, app: KillingApp, fork_server: subprocess.Popen[str], seed: int, stream: str = "off"
    ) -> None:
        self.app, self.exchange, self.stream = app, app.exchange, stream
        self._fork_server, self._random = fork_server, Random(seed)
        self.worker = 0

    def start(self) -> None:
        print(file=self._fork_server.stdin, flush=True)
        self.worker = int(self._fork_server.stdout.readline())

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.worker, signal.SIGKILL)
        self.wait_until(lambda: not alive(self.worker))

    def wait_until(self, ready, seconds: float = 30) -> bool:  # type: ignore[no-untyped-def]
        end = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def cycles(self, count: int = 1) -> None:
        """Wait for at least `count` whole cycles."""
        goal = self.app.calls[BALANCE] + count + 1
        assert self.wait_until(lambda: self.app.calls[BALANCE] >= goal or not alive(self.worker), 60)

    def is_listening(self) -> bool:
        with self.exchange.lock:
            sessions = [session.describe() for session in self.exchange.account_feed.sessions]
        return any(session["channels"] for session in sessions)

    def change_troubles(self) -> None:
        """Of the stream: some more, or none any more; or it is cut once."""
        what = self._random.random()
        with self.exchange.lock:
            if what < 0.25:
                control.run(self.exchange, "stream_faults", {"clear": True})
            elif what < 0.4:
                control.run(self.exchange, "stream", self._random.choice([{"close": 1001}, {"reset": True}]))
            else:
                control.run(self.exchange, "stream_faults", dict(self._random.choice(TROUBLES)))

    def run_round(self) -> None:
        """A random event, and the worker is killed at a random request or after a random time."""
        self.start()
        if self.stream != "off" and self._random.random() < 0.8:
            self.wait_until(self.is_listening, SUBSCRIBED_S)
        if self.stream == "failing":
            self.change_troubles()
        self.random_event()
        if self._random.random() < 0.7:
            self.app.aim(self.worker, self._random.randint(1, 16), after=self._random.random() < 0.5)
            self.wait_until(lambda: not alive(self.worker), 10)
        else:
            time.sleep(self._random.uniform(0, 1))
        self.kill()

    def random_event(self) -> None:
        """An entry most of the time; sometimes the market or a counterparty moves."""
        with self.exchange.lock, contextlib.suppress(Refusal, ValueError):
            self.exchange.advance()
            what, symbol = self._random.random(), self._random.choice([*PRICES])
            if what < 0.55:
                self._trade("BUY", symbol)
            elif what < 0.75:
                self._trade("SELL", symbol)
            elif what < 0.85:
                self._fill_target()
            else:
                self._swing(symbol, self._random.choice([-6, 6]))

    def _trade(self, side: str, symbol: str) -> None:
        """A manual order. What is sold are the user's own coins, which are then bought back."""
        dollars = self._random.choice([30, 600, 2000])
        pair = self.exchange.instruments[symbol]
        lots = floor_to(dollars / self.exchange.prices.last(symbol, self.exchange.at_ms), pair.lot)
        params = {"instrument_name": symbol, "side": side, "type": "MARKET", "quantity": str(lots)}
        control.run(self.exchange, "order", {"method": "private/create-order", "params": params})

    def _fill_target(self) -> None:
        targets = [order for order in self.ours() if order.is_open and order.order_type == "LIMIT"]
        if targets:
            order = self._random.choice(targets)
            lot = self.exchange.instruments[order.instrument_name].lot
            control.fill_order(
                self.exchange, order.order_id, quantity=floor_to(order.remaining / 2, lot), price=None
            )

    def _swing(self, symbol: str, percent: int) -> None:
        """Through every stop of that side, and back."""
        control.move_price(self.exchange, symbol, Decimal(percent))
        self.exchange.advance()
        control.set_price(self.exchange, symbol, Decimal(PRICES[symbol]))

    # checks

    def ours(self) -> list[Order]:
        return [order for order in self.exchange.all_orders() if order.client_oid.startswith(PREFIX)]

    def violations(self, *, at_rest: bool) -> list[str]:
        """The violations by the record. `at_rest`: everything that needs an order must have it now."""
        with self.exchange.lock:
            self.exchange.advance()
            found = [*self.exchange.audit()]
            for currency in OWN:
                found += self._of_coin(currency, at_rest=at_rest)
            return found

    def _of_coin(self, currency: str, *, at_rest: bool) -> Iterator[str]:
        yield from self._covered(currency, at_rest=at_rest)
        yield from self._bought_back(currency, at_rest=at_rest)
        for legs in self._lists(currency):
            if at_rest and not any(leg.order_type in STOP_ORDER_TYPES for leg in legs):
                yield f"{legs[0].order_type} {legs[0].client_oid} rests without a stop."

    def _covered(self, currency: str, *, at_rest: bool) -> Iterator[str]:
        untouched = OWN[currency] - sum((trade.quantity for trade in self._sales(currency)), ZERO)
        required_cover = self.exchange.ledger.balance_of(currency) - untouched
        lists = [legs for legs in self._lists(currency) if legs[0].side == "SELL"]
        resting = sum((max(leg.remaining for leg in legs) for legs in lists), ZERO)
        if resting > required_cover:
            yield f"{resting} {currency} rest for {required_cover}: more than was bought."
        if at_rest and required_cover - resting > DUST * (1 + len(lists)):
            yield f"{resting} {currency} rest for {required_cover}: not all is covered."

    def _bought_back(self, currency: str, *, at_rest: bool) -> Iterator[str]:
        """Buy-backs cost at most the sale proceeds; at rest they cover most of what was sold."""
        sales = self._sales(currency)
        proceeds = sum((trade.quantity * trade.price for trade in sales), ZERO)
        mine = [one for one in self.ours() if one.side == "BUY" and one.instrument_name == f"{currency}_USD"]
        lists = [legs for legs in self._lists(currency) if legs[0].side == "BUY"]
        cost = sum((one.cumulative_value for one in mine), ZERO)
        cost += sum((max(leg.remaining * (leg.limit_price or ZERO) for leg in legs) for legs in lists), ZERO)
        if cost > proceeds:
            yield f"Buying {currency} back may cost {cost} of {proceeds}."
        back = sum((one.cumulative_quantity for one in mine), ZERO)
        back += sum((max(leg.remaining for leg in legs) for legs in lists), ZERO)
        required = sum((trade.quantity for trade in sales), ZERO) * MIN_BOUGHT_BACK
        if at_rest and back + DUST * (1 + len(sales)) < required:
            yield f"{back} {currency} are bought back of {required}."

    def _sales(self, currency: str) -> list[Trade]:
        """Manual sales."""
        mine = {f"{order.name_space}/{order.order_id}" for order in self.ours()}
        return [
            trade
            for trade in self.exchange.trades.rows
            if (trade.side, trade.instrument_name) == ("SELL", f"{currency}_USD") and trade.owner not in mine
        ]

    def _lists(self, currency: str) -> list[list[Order]]:
        """Our open orders, linked ones together."""
        found: dict[str, list[Order]] = {}
        for order in self.ours():
            if order.is_open and order.instrument_name == f"{currency}_USD":
                found.setdefault(order.list_id or order.order_id, []).append(order)
        return list(found.values())

    def converge(self) -> list[str]:
        """A worker without kills must cover everything; the violations after that."""
        with self.exchange.lock:
            control.run(self.exchange, "stream_faults", {"clear": True})
        self.start()
        self.wait_until(lambda: not self.violations(at_rest=True), 60)
        self.cycles(2)
        before = len(self.ours())
        self.cycles(2)
        left = [] if len(self.ours()) == before else ["It keeps placing orders."]
        self.kill()
        return [*self.violations(at_rest=True), *left]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def real_ms() -> int:
    return time.time_ns() // 1_000_000


def static_exchange() -> Exchange:
    """An exchange in real time whose prices move only when set."""
    prices = Prices(small_catalogue(PRICES), seed=1, origin_ms=real_ms(), volatility=0)
    exchange = Exchange(prices, now_ms=real_ms, **KEY)
    for symbol, price in PRICES.items():
        prices.set_price(symbol, exchange.at_ms, Decimal(price))
    for currency, amount in {"USD": Decimal(1_000_000), **OWN}.items():
        exchange.deposit(currency, amount)
    return exchange


@contextlib.contextmanager
def kill_run(directory: Path, seed: int, stream: str = "off", **environment: str) -> Iterator[KillRun]:
    """A new exchange and a new database, after two cycles. `stream`: one of MODES."""
    app = KillingApp(static_exchange())
    with running_server(app) as address, running_streams(app.exchange) as streams:
        values = {
            "PATH": os.defpath,
            "ENV_FILE": os.devnull,
            "VAR_DIR": str(directory),
            "CRYPTO_COM_REST_URL": f"{address}/exchange/v1",
            "CRYPTO_COM_WS_USER_URL": f"{streams}/user",
            **environment,
            "STREAM_ENABLED": str(stream != "off").lower(),
        }
        with (directory / "fork_server.log").open("w") as log:
            run = {"cwd": ROOT, "env": values, "stderr": log, "text": True}
            for words in (["setup", "--no-static"], ["shell", "-c", BUY_BACK]):
                subprocess.run([sys.executable, "manage.py", *words], check=True, stdout=log, **run)
            command = [sys.executable, "-m", "tests.oco.fork_server"]
            with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **run
            ) as fork_server:
                here = KillRun(app, fork_server, seed, stream)
                try:
                    here.start()
                    here.cycles(2)
                    here.kill()
                    yield here
                finally:
                    if here.worker:
                        here.kill()
                    fork_server.kill()
