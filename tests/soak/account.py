"""Client, simulator and sync under random events: in the end both records agree (Hypothesis)."""

import contextlib
import json
import logging
from collections.abc import Sequence
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from exchange.client.errors import ExchangeError
from exchange.core.times import NS_PER_DAY
from exchange.models import ExchangeOrder, Trade
from exchange.models import Lease as LeaseRow
from exchange.schemas import NameSpace, NewOrder
from exchange.services.lease import Lease
from exchange.simulator.config import CHOICES, Refusal
from exchange.simulator.exchange import Exchange
from exchange.simulator.market_data import Prices
from exchange.simulator.models import LIMIT_TRIGGERS, MARKET_TRIGGERS, Order
from exchange.sync.backfill import history_slice
from oco.reconcile.loop import CycleReport
from portfolio.worker.runner import sync_run
from tests.bookkeeping import differences
from tests.exchange.simulator.world import World
from tests.scenario import BALANCES, PRICES, small_catalogue
from tests.support import Desk

PLAIN, ADVANCED = NameSpace.PLAIN, NameSpace.ADVANCED
SYMBOLS = sorted(PRICES)
CATALOGUE = small_catalogue(SYMBOLS)
RETENTION_NS = 5 * NS_PER_DAY
MAX_HIDDEN_S = 60
MAX_BURST = 90  # beyond a page per millisecond the desk may only record a HistoryGap
MAX_ASLEEP_H = 50  # twice as long is still within RETENTION_NS
# With these, which duplicate listing belongs to which order can only be guessed.
AMBIGUOUS = ("exchange_order_id", "order_id_ranges")
BEHAVIOUR = {name: values for name, values in CHOICES.items() if name not in AMBIGUOUS}

FREQUENT = (  # those that affect the sync most
    *("history_window", "tie_order", "ns_resolution", "unknown_order", "triggered_in_plain", "fills_carry"),
    *("fills_client_oid", "refusal_ids", "ack_delay_ms", "fresh_order", "cancel_delay_ms", "partial_fills"),
    *("oco_race", "oco_remainder", "client_oid_unique", "client_oid_scope", "untriggered_status"),
)
WEIGHTED = [*sorted(BEHAVIOUR), *FREQUENT * 4]

symbols = st.sampled_from(SYMBOLS)
sides = st.sampled_from(["BUY", "SELL"])
sizes = st.integers(1, 40)
offsets = st.integers(-40, 40)  # tenths of a per cent from the market
picks = st.integers(0, 40)
FAULTS: dict[str, dict[str, Any]] = {
    "delay": {"seconds": 6},
    "drop_before": {},
    "process_then_drop": {},
    "process_later": {"seconds": 4},
    "http": {"status": 502},
    "process_then_http": {"status": 503, "body": "json"},
    "refuse": {"code": 42901},
    "process_then_refuse": {"code": 50001},
    "maintenance": {},
    "garbage": {},
    "truncate": {},
    "slow_body": {"seconds": 12},
    "stale": {"age_s": 20},
    "hide_order": {"seconds": 15},
    "without_ids": {},
    "code_with_ids": {"code": 306},
    "ignore_cancel": {},
    "unknown_status": {},
    "lie": {"values": {"cumulative_quantity": "1e59", "traded_price": "-1"}},
    "strings": {},
}
METHODS = (
    "private/*",
    "*create*",
    "*cancel*",
    "*get-open-orders",
    "*history",
    "*get-trades",
    "*balance",
    "*detail",
)


Progress = tuple[Decimal, bool]


def order_progress() -> dict[tuple[str, str], Progress]:
    """Executed quantity and whether it has ended, by order in our record. Fills count as ended."""
    rows = ExchangeOrder.objects.values_list("name_space", "order_id", "filled_quantity", "is_open")
    stored = {(space, order_id): (filled, not is_open) for space, order_id, filled, is_open in rows}
    return stored | {
        ("TRADE", name): (Decimal(0), True) for name in Trade.objects.values_list("trade_id", flat=True)
    }


def is_progress(before: Progress, after: Progress | None) -> bool:
    return after is not None and after[0] >= before[0] and after[1] >= before[1]


class Killed(BaseException):
    """The process is killed here."""


class Account(RuleBasedStateMachine):
    """One account behind a connection with faults; steps are counted over all examples."""

    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(settings, "AUTO_PROTECT", False)
        self.patch.setattr("exchange.sync.store.RETENTION_NS", RETENTION_NS)
        self.patch.setattr("portfolio.worker.cycle.reconcile", lambda **_: CycleReport(0, 0, ()))
        self.patch.setattr("exchange.simulator.markets.recorded_catalogue", lambda: CATALOGUE)
        logging.disable(logging.CRITICAL)
        self.travel = time_machine.travel(0, tick=False)
        self.world = World(BALANCES, catalogue=CATALOGUE)
        for symbol, price in PRICES.items():
            self.world.set_price(symbol, price)
        self.desk = Desk(self.world, self.patch, SimpleNamespace(), self.travel.start())
        self.desk.tick(0)
        self.client = self.world.client()
        self.numbers = count(1)
        self.slept_h = self.bursts = self.skew_s = 0
        self.savepoint = transaction.savepoint()

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            transaction.set_rollback(False)
            transaction.savepoint_rollback(self.savepoint)
            self.travel.stop()
            logging.disable(logging.NOTSET)
            self.patch.undo()

    def check_invariants(self, *args: Any, **kwargs: Any) -> None:
        """Called once a step."""
        Account.steps += 1
        super().check_invariants(*args, **kwargs)

    @initialize(behaviour=st.dictionaries(st.sampled_from(WEIGHTED), st.integers(1, 2), max_size=6))
    def set_behaviour(self, behaviour: dict[str, int]) -> None:
        self.world.set_behaviour(
            **{name: BEHAVIOUR[name][at % len(BEHAVIOUR[name])] for name, at in behaviour.items()}
        )

    # what our own program sends

    @rule(symbol=symbols, side=sides, size=sizes, offset=offsets)
    def limit(self, symbol: str, side: str, size: int, offset: int) -> None:
        self.send(PLAIN, symbol, side, "LIMIT", size, price=self.price(symbol, offset))

    @rule(symbol=symbols, side=sides, size=sizes, in_quote=st.booleans())
    def market(self, symbol: str, side: str, size: int, in_quote: bool) -> None:
        token = {"fee_instrument_name": "USD"} if in_quote else {}
        self.send(PLAIN, symbol, side, "MARKET", size, **token)

    @rule(symbol=symbols, cents=st.integers(50, 90_000))
    def notional(self, symbol: str, cents: int) -> None:
        self.send(PLAIN, symbol, "BUY", "MARKET", None, notional=Decimal(cents) / 100)

    @rule(symbol=symbols, side=sides, size=sizes, offset=offsets, kind=st.sampled_from(MARKET_TRIGGERS))
    def stop(self, symbol: str, side: str, size: int, offset: int, kind: str) -> None:
        self.send(ADVANCED, symbol, side, kind, size, ref_price=self.price(symbol, offset))

    @rule(
        symbol=symbols,
        side=sides,
        size=sizes,
        offset=offsets,
        beyond=offsets,
        kind=st.sampled_from(LIMIT_TRIGGERS),
    )
    def stop_limit(self, symbol: str, side: str, size: int, offset: int, beyond: int, kind: str) -> None:
        prices = {"ref_price": self.price(symbol, offset), "price": self.price(symbol, offset + beyond)}
        self.send(ADVANCED, symbol, side, kind, size, **prices)

    @rule(symbol=symbols, size=sizes, up=st.integers(1, 40), down=st.integers(1, 40))
    def pair(self, symbol: str, size: int, up: int, down: int) -> None:
        first = self.order(symbol, "SELL", "LIMIT", size, price=self.price(symbol, up))
        second = self.order(symbol, "SELL", "STOP_LOSS", size, ref_price=self.price(symbol, -down))
        with contextlib.suppress(ExchangeError):
            self.client.oco_create(first, second)

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        for order in self.pick_orders(pick):
            space = PLAIN if order.name_space == "plain" else ADVANCED
            with contextlib.suppress(ExchangeError):
                self.client.order_cancel(space, order_id=order.order_id)

    @rule(space=st.sampled_from(NameSpace), symbol=st.one_of(st.none(), symbols))
    def cancel_all(self, space: NameSpace, symbol: str | None) -> None:
        with contextlib.suppress(ExchangeError):
            self.client.orders_cancel_all(space, instrument_name=symbol)

    # manual actions

    @rule(symbol=symbols, side=sides, size=sizes, offset=offsets, name=st.sampled_from(["", "same", "again"]))
    def limit_manually(self, symbol: str, side: str, size: int, offset: int, name: str) -> None:
        price = str(self.price(symbol, offset))
        named = {"client_oid": name} if name else {}
        self.send_manually(
            "private/create-order", **self.row(symbol, side, "LIMIT", size), price=price, **named
        )

    @rule(
        symbol=symbols,
        side=sides,
        size=sizes,
        offset=offsets,
        extra=st.sampled_from(
            [
                {"time_in_force": "IMMEDIATE_OR_CANCEL"},
                {"time_in_force": "FILL_OR_KILL"},
                {"exec_inst": ["POST_ONLY"]},
            ]
        ),
    )
    def limit_with_instruction(
        self, symbol: str, side: str, size: int, offset: int, extra: dict[str, Any]
    ) -> None:
        price = str(self.price(symbol, offset))
        self.send_manually(
            "private/create-order", **self.row(symbol, side, "LIMIT", size), price=price, **extra
        )

    @precondition(lambda self: self.bursts < 3)
    @rule(side=sides, many=st.integers(20, MAX_BURST), later=st.booleans())
    def burst(self, side: str, many: int, later: bool) -> None:
        """More executions than an answer holds, together with an earlier burst; in one millisecond or several."""
        self.bursts += 1
        self.world.tick(3)
        for number in range(many):
            self.send_manually("private/create-order", **self.row(SYMBOLS[number % 4], side, "MARKET", 1))
            if later and not number % 9:
                self.world.tick(0.001)
        self.world.tick(3)

    @rule(pick=picks)
    def cancel_manually(self, pick: int) -> None:
        for order in self.pick_orders(pick):
            with contextlib.suppress(Refusal):
                self.world.cancel(order)

    @rule(pick=picks, offset=offsets, size=sizes)
    def amend_manually(self, pick: int, offset: int, size: int) -> None:
        for order in self.pick_orders(pick):
            price = str(self.price(order.instrument_name, offset))
            new = {"order_id": order.order_id, "new_quantity": str(self.lots(order.instrument_name, size))}
            if order.name_space == "plain":
                self.send_manually("private/amend-order", **new, new_price=price)
            elif order.order_type == "LIMIT":
                self.send_manually("private/advanced/amend-order", **new, new_price=price)
            else:
                limit = price if offset % 3 else "0"
                self.send_manually(
                    "private/advanced/amend-order", **new, new_price=limit, new_ref_price=price
                )

    @rule(amount=st.integers(-300, 300), currency=st.sampled_from(["USD", "SOL", "CRO"]))
    def move_money(self, amount: int, currency: str) -> None:
        with contextlib.suppress(Refusal):
            if amount > 0:
                self.world.deposit(currency, amount)
            else:
                self.world.withdraw(currency, -amount)

    @rule(currency=st.sampled_from(["BTC", "ETH", "CRO"]))
    def withdraw_all(self, currency: str) -> None:
        """Refused while open orders reserve some of it; untriggered stops usually reserve nothing."""
        with contextlib.suppress(Refusal):
            self.world.withdraw(currency, self.world.balance(currency))

    # what the market does

    @rule(pick=picks, share=st.integers(1, 4))
    def fill(self, pick: int, share: int) -> None:
        for order in self.pick_orders(pick):
            lot = self.world.exchange.instruments[order.instrument_name].lot
            part = max(lot, order.remaining / share // lot * lot)
            with contextlib.suppress(Refusal, ValueError):
                self.world.fill(order, min(part, order.remaining))

    @rule(symbol=symbols, tenths=offsets)
    def move_price(self, symbol: str, tenths: int) -> None:
        self.world.move(symbol, Decimal(tenths) / 10)

    @rule(symbol=symbols, gap=st.integers(-20, 20))
    def move_mark(self, symbol: str, gap: int) -> None:
        self.world.exchange.advance()
        self.world.set_mark_gap(symbol, Decimal(gap) / 1000)

    @rule(symbol=symbols, size=st.one_of(st.none(), sizes))
    def move_depth(self, symbol: str, size: int | None) -> None:
        self.world.set_liquidity(symbol, None if size is None else str(self.lots(symbol, size)))

    @rule(seconds=st.sampled_from([0, 1, 5, 30, 60, 600, 4000]))
    def wait(self, seconds: int) -> None:
        self.world.tick(seconds)

    @precondition(lambda self: self.slept_h < MAX_ASLEEP_H)
    @rule(hours=st.integers(20, 50))
    def sleep_long(self, hours: int) -> None:
        """The program is off for a day or two; the account changes meanwhile."""
        self.slept_h += hours
        self.world.tick(hours * 3600)

    # faults

    @rule(
        kind=st.sampled_from(sorted(FAULTS)),
        method=st.sampled_from(METHODS),
        chance=st.sampled_from([0.2, 0.6, 1]),
        times=st.sampled_from([1, 3, None]),
    )
    def add_fault(self, kind: str, method: str, chance: float, times: int | None) -> None:
        self.world.faults.add(kind, method, probability=chance, times=times, **FAULTS[kind])

    @rule()
    def calm(self) -> None:
        self.world.faults.clear()

    @rule(pick=picks, seconds=st.integers(1, MAX_HIDDEN_S))
    def hide(self, pick: int, seconds: int) -> None:
        for order in self.pick_orders(pick):
            self.world.hide(order, seconds)

    @rule(skew_s=st.integers(-20, 20))
    def clock(self, skew_s: int) -> None:
        """The exchange's clock differs from ours; but it never runs backwards."""
        self.world.tick(max(self.skew_s - skew_s, 0))
        self.world.control("clock", skew_ms=skew_s * 1000)
        self.skew_s = skew_s

    @rule()
    def simulator_restarts(self) -> None:
        """Its state is saved and loaded; faults and their snapshots are lost."""
        world, previous = self.world, self.world.exchange
        saved = json.loads(json.dumps({"exchange": previous.to_state(), "prices": world.prices.to_state()}))
        world.prices = Prices.from_state(saved["prices"])
        world.exchange = Exchange.from_state(saved["exchange"], prices=world.prices, now_ms=world.now_ms)
        world.app.exchange = world.exchange

    @rule()
    def program_restarts(self) -> None:
        self.client = self.world.client()

    @rule(at=st.integers(0, 12), seconds=st.integers(1, 90))
    def cycle_killed(self, at: int, seconds: int) -> None:
        """Before a request or at the end; then its lease expires."""
        self.world.tick(seconds)
        calls = count()

        def announce(lease: Any) -> None:
            if next(calls) == at:
                raise Killed
            renew(lease)

        renew = Lease.renew
        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(Killed):
            patch.setattr(Lease, "renew", announce)
            patch.setattr(Lease, "release", lambda lease: None)
            sync_run(trigger="test")
        LeaseRow.objects.update(expires_at="2000-01-01T00:00:00Z")

    # cycles

    @rule(seconds=st.sampled_from([1, 30, 60]))
    def cycle(self, seconds: int) -> None:
        """A cycle loses nothing: no order is missing, less executed or open again afterwards."""
        before = order_progress()
        self.desk.sync(seconds)
        after = order_progress()
        lost = [
            f"{key}: {known} before, {after.get(key)} now"
            for key, known in before.items()
            if not is_progress(known, after.get(key))
        ]
        if lost:
            raise AssertionError("\n".join(lost))

    @rule(
        method=st.sampled_from(METHODS), seconds=st.integers(20, 1500), cycles=st.integers(1, 3), side=sides
    )
    def outage(self, method: str, seconds: int, cycles: int, side: str) -> None:
        """Some methods fail for a while, and a trade happens meanwhile."""
        rule_id = self.world.faults.add("http", method, status=503)
        self.send_manually("private/create-order", **self.row("SOL_USD", side, "MARKET", 1))
        for _ in range(cycles):
            self.world.tick(seconds)
            self.cycle(1)
        self.world.faults.remove(rule_id)

    @rule(method=st.sampled_from(METHODS), age_s=st.integers(1, 100), pick=picks)
    def lag(self, method: str, age_s: int, pick: int) -> None:
        """Some answers are stale while a known order ends."""
        rule_id = self.world.faults.add("stale", method, age_s=age_s)
        self.cycle(1)
        self.fill(pick, 1)
        for _ in range(3):
            self.cycle(1)
        self.world.faults.remove(rule_id)

    @rule(seconds=st.integers(1, 20))
    def slice_of_history(self, seconds: int) -> None:
        with contextlib.suppress(ExchangeError):
            history_slice(seconds=seconds)

    @rule()
    def settle(self) -> None:
        """Without faults: after two cycles and the remaining history both records are equal."""
        self.world.faults.clear()
        self.clock(0)
        self.world.tick(2 * MAX_HIDDEN_S)
        self.desk.sync_ok()
        assert history_slice(seconds=10**6) is True
        self.desk.sync_ok()
        assert history_slice(seconds=10**6) is True
        found = differences(self.world.exchange, allow_gaps=self.bursts > 0)
        if found:
            raise AssertionError("\n".join(found))

    # helpers

    def price(self, symbol: str, tenths: int) -> Decimal:
        """On the price tick, `tenths` of a per cent above the market."""
        tick = self.world.exchange.instruments[symbol].price_tick
        return max(tick, self.world.price(symbol) * (1000 + tenths) / 1000 // tick * tick)

    def lots(self, symbol: str, size: int) -> Decimal:
        """Worth about 10 USD times `size`, on the grid."""
        lot = self.world.exchange.instruments[symbol].lot
        return max(lot, 10 * size / self.world.price(symbol) // lot * lot)

    def order(self, symbol: str, side: str, kind: str, size: int | None, **values: Any) -> NewOrder:
        quantity = None if size is None else self.lots(symbol, size)
        name = f"ours-{next(self.numbers)}"
        return NewOrder(
            instrument_name=symbol, side=side, type=kind, quantity=quantity, client_oid=name, **values
        )

    def row(self, symbol: str, side: str, kind: str, size: int) -> dict[str, Any]:
        params = {"instrument_name": symbol, "side": side, "type": kind}
        return params | {"quantity": str(self.lots(symbol, size))}

    def send(
        self, space: NameSpace, symbol: str, side: str, kind: str, size: int | None, **values: Any
    ) -> None:
        with contextlib.suppress(ExchangeError):
            self.client.order_create(space, self.order(symbol, side, kind, size, **values))

    def send_manually(self, method: str, **params: Any) -> None:
        with contextlib.suppress(Refusal):
            self.world.send_manually(method, **params)

    def pick_orders(self, pick: int) -> Sequence[Order]:
        """One of the open orders, or none when there are none."""
        found = sorted(self.world.open_orders(), key=lambda order: (order.create_time_ns, order.order_id))
        return [found[pick % len(found)]] if found else []
