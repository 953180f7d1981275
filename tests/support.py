"""Shared by many tests: the program connected to a simulated account, wire rows, and counted queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from exchange import schemas
from exchange.client.client import Client
from exchange.client.ratelimit import Limiter
from exchange.core.times import from_ms
from exchange.models import ExchangeOrder, SyncRun
from exchange.schemas import NameSpace
from exchange.services.lease import lease_take
from portfolio.worker.runner import sync_run
from tests.exchange.simulator.world import KEY, SECRET, World

CLIENT_FACTORIES = (
    "portfolio.worker.runner.client_from_settings",
    "portfolio.signals.services.client_from_settings",
    "exchange.sync.backfill.client_from_settings",
    "exchange.management.commands.check_connection.client_from_settings",
)
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class Desk:
    """The program and a simulated exchange, both on the clock of `world`. Entries are protected only with `protect`."""

    def __init__(
        self, world: World, monkeypatch: Any, settings: Any, traveller: Any, *, protect: bool = False
    ) -> None:
        self.world = world
        self.requested: list[str] = []
        self.options: dict[str, Any] = {}
        self._traveller = traveller
        self._tick = world.tick
        world.tick = world.app.sleep = self.tick
        settings.CRYPTO_COM_API_KEY, settings.CRYPTO_COM_SECRET_KEY = KEY, SECRET
        settings.AUTO_PROTECT = protect
        monkeypatch.setattr("exchange.services.lease.seconds", world.seconds)
        for name in CLIENT_FACTORIES:
            monkeypatch.setattr(name, self.client)

    def client(self, *, before_request: Any = None) -> Client:
        """Replaces `client_from_settings`: a client of this world that records every request."""

        def record(method: str) -> None:
            if before_request is not None:
                before_request(method)
            self.requested.append(method)

        return self.world.client(before_request=record, **self.options)

    def tick(self, seconds: float) -> None:
        """Time passes in the program and on the exchange."""
        self._tick(seconds)
        self._traveller.move_to(self.now)

    @property
    def now(self) -> datetime:
        return from_ms(self.world.clock_ms)

    def sync(self, seconds: float = 60) -> SyncRun:
        """The next cycle, `seconds` after now."""
        self.world.tick(seconds)
        self.requested.clear()
        run = sync_run(trigger="test")
        assert run is not None
        return run

    def sync_ok(self) -> SyncRun:
        """A cycle that must be complete."""
        run = self.sync()
        assert run.errors == []
        return run


def price_at_ratio(world: World, name: str = "BTC_USD", ratio: str = "0.5") -> Decimal:
    """The market price times `ratio`, on the price tick."""
    tick = world.exchange.instruments[name].price_tick
    return world.price(name) * Decimal(ratio) // tick * tick


def wire_order(name_space: NameSpace = NameSpace.PLAIN, **changes: Any) -> schemas.Order:
    """A limit buy as in an answer; `changes` are fields of the row."""
    row = {
        "account_id": "52e7c00f-1324-4ea1-9f7a-de445bde21a5",
        "order_id": "5755600460443882762",
        "client_oid": "by-hand",
        "order_type": "LIMIT",
        "time_in_force": "GOOD_TILL_CANCEL",
        "side": "BUY",
        "exec_inst": [],
        "quantity": "2",
        "limit_price": "100.00",
        "order_value": "200.00",
        "avg_price": "0",
        "cumulative_quantity": "0",
        "cumulative_value": "0",
        "cumulative_fee": "0",
        "status": "ACTIVE",
        "instrument_name": "BTC_USD",
        "fee_instrument_name": "USD",
        "create_time": 1_785_587_000_123,
        "create_time_ns": "1785587000123456789",
        "update_time": 1_785_587_000_123,
    }
    return schemas.Order.from_row(row | changes, name_space)


def wire_trade(**changes: Any) -> schemas.Trade:
    """One execution as in an answer; `changes` are fields of the row."""
    row = {
        "trade_id": "5755600460443882999",
        "trade_match_id": "4611686018455978480",
        "order_id": "5755600460443882762",
        "client_oid": "by-hand",
        "side": "BUY",
        "taker_side": "TAKER",
        "traded_quantity": "2",
        "traded_price": "100.00",
        "fees": "-0.001",
        "fee_credits": "0",
        "fee_instrument_name": "BTC",
        "instrument_name": "BTC_USD",
        "create_time": 1_785_587_000_123,
        "create_time_ns": "1785587000123456789",
        "transact_time_ns": "1785587000123400000",
        "match_count": 1,
        "journal_type": "TRADING",
    }
    return schemas.Trade.from_row(row | changes)


def stored_order(order: Any) -> ExchangeOrder:
    """The stored row of an order of the simulator."""
    return ExchangeOrder.objects.get(name_space=order.name_space.upper(), order_id=order.order_id)


def table_rows(*models: Any) -> dict[str, list[dict[str, Any]]]:
    """All rows of these tables, to compare before and after."""
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def worker_calls(desk: Desk, monkeypatch: Any, read: Callable[[Client], object]) -> None:
    """Another process has just read three times with the same key, whose limits hold; its lease is free again."""
    world = desk.world
    # The lease counts by the database's clock, which is not that of the world.
    monkeypatch.setattr("exchange.services.lease._idle_ms", lambda *_: 0)
    world.exchange.limits.enabled = True
    desk.options["limiter"] = Limiter(world.now_ms, world.tick)
    lease = lease_take(purpose="cycle")
    assert lease is not None
    client = world.client(limiter=Limiter(world.now_ms, world.tick))
    for _ in range(3):
        read(client)
    lease.release()
    desk.requested.clear()


@contextmanager
def no_database() -> Iterator[None]:
    """Within the block no statement reaches the database."""

    def refuse(*_: Any) -> Any:
        raise OperationalError("unable to open database file")

    with connection.execute_wrapper(refuse):
        yield


@contextmanager
def queries() -> Iterator[list[str]]:
    """The SQL statements of a block, without savepoints and settings."""
    found: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    found += [
        query["sql"] for query in captured.captured_queries if query["sql"].split()[0] in (*WRITES, "SELECT")
    ]


def write_statements(statements: list[str]) -> list[str]:
    return [sql for sql in statements if sql.split()[0] in WRITES]


def utc(text: str) -> datetime:
    """A moment in UTC, as `2026-05-01 12:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
