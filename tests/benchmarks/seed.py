"""An old account: as many stored orders and fills as wanted, written by the database itself in seconds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from exchange.models import ExchangeOrder, Trade
from exchange.sync.trades import no_rates, rate_trade
from oco.engine.types import PREFIX
from oco.models import Watermark
from portfolio.models import CostCursor
from tests.factories import (
    AlertFactory,
    AuditEntryFactory,
    BalanceFactory,
    EventFactory,
    HeartbeatFactory,
    InstrumentFactory,
    LegFactory,
    OrderFactory,
    QuoteFactory,
    SignalFactory,
    SyncRunFactory,
    TradeFactory,
    WatchFactory,
)

NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) "
YOUNGEST = timedelta(days=2)  # older than anything that a cycle asks for
FIRST_ORDER, FIRST_TRADE = 1_000_000_000_000_000_000, 2_000_000_000_000_000_000
RARE_COUNT = 10
GROUPS_A_POSITION = 2
MINUTES_EARLIER_SQL = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', {column}, '-' || n || ' minutes')",
    "postgresql": "{column} - n * interval '1 minute'",
}
MAINTENANCE_SQL = {  # what happens by itself while an account grows slowly
    "sqlite": "PRAGMA wal_checkpoint(TRUNCATE)",
    "postgresql": "VACUUM ANALYZE exchange_orders, exchange_trades, oco_lot_trades",
}
ORDERS = {
    "order_id": f"CAST({FIRST_ORDER} + n AS varchar(64))",
    "client_oid": f"CASE n % 5 WHEN 0 THEN '{PREFIX}' ELSE 'old-' END || n",
    "origin": "CASE n % 5 WHEN 0 THEN 'OURS' ELSE 'FOREIGN' END",
    "instrument_name": "'COIN' || (n % 40) || '_USD'",
    "side": "CASE n % 2 WHEN 0 THEN 'BUY' ELSE 'SELL' END",
    "name_space": "CASE n % 10 WHEN 0 THEN 'ADVANCED' ELSE 'PLAIN' END",
    "status": "CASE n % 4 WHEN 0 THEN 'CANCELED' ELSE 'FILLED' END",
    "has_fills": "n % 4 <> 0",
    "order_role": "CASE n % 3 WHEN 0 THEN 'ENTRY' WHEN 1 THEN 'EXIT' ELSE '' END",
    "created_ns": "created_ns - n * 60000000000",
}
TRADES = {
    "trade_id": f"CAST({FIRST_TRADE} + n AS varchar(64))",
    "order_id": f"CAST({FIRST_ORDER} + n AS varchar(64))",
    "client_oid": "'old-' || n",
    "instrument_name": "'COIN' || (n % 40) || '_USD'",
    "side": "CASE n % 2 WHEN 0 THEN 'BUY' ELSE 'SELL' END",
    "create_time_ns": "create_time_ns - n * 60000000000",
}


def old_account(orders: int, *, rare: bool = False) -> None:
    """`orders` finished orders of 40 coins, one a minute, three of four of them filled, and a fill each.

    Protection was there from the first day: one of five orders is ours, and every buy has been dealt with.
    The books are kept: what the coins have cost was calculated long ago.
    `rare` makes the oldest few open, unknown, expired or ours instead: what lists find at their very end.
    """
    moment = timezone.now() - YOUNGEST
    order = OrderFactory(filled=True, created_at=moment, created_ns=int(moment.timestamp()) * 10**9)
    trade = TradeFactory(order_id=order.order_id, traded_at=moment, is_new=False)
    rate_trade(trade, no_rates)
    trade.save()
    _repeat(order, orders - 1, ORDERS, ("created_at", "updated_at", "first_seen_at"))
    _repeat(trade, orders - 1, TRADES, ("traded_at", "first_seen_at"))
    Watermark.objects.update_or_create(only=True, defaults={"since_ns": 0})
    newest = Trade.objects.order_by("-pk").values_list("pk", flat=True)[0]
    books = {"trade_pk": newest, "rates_due": False, "is_revised": True}
    CostCursor.objects.update_or_create(only=True, defaults=books)
    _run("INSERT INTO oco_lot_trades (trade_id) SELECT trade_id FROM exchange_trades WHERE side = 'BUY'")
    if rare:
        _make_rare()
    if not connection.in_atomic_block:
        _run(MAINTENANCE_SQL[connection.vendor])


def old_journal(rows: int) -> None:
    """As many events, alerts and entries of the audit log, one a minute, of one group that has ended."""
    event = EventFactory(group__closed=True, told=True)
    _repeat(event, rows - 1, {}, ("at",))
    _repeat(AuditEntryFactory(what="ORDER_PLACE", result="ACCEPTED"), rows - 1, {}, ("at",))
    alert = AlertFactory(state="SENT", ended_at=event.at, acknowledged_at=event.at)
    _repeat(alert, rows - 1, {"dedupe_key": "'old ' || n"}, ("raised_at",))


def held_positions(count: int) -> None:
    """As many coins, each held, watched, with signals, two groups with both orders, and executed orders."""
    SyncRunFactory()
    HeartbeatFactory(name="signals")
    for coin in (f"COIN{n}" for n in range(count)):
        name = f"{coin}_USD"
        InstrumentFactory(symbol=name, base_ccy=coin)
        BalanceFactory(currency=coin)
        WatchFactory(instrument_name=name)
        QuoteFactory(instrument_name=name)
        for timeframe in ("1h", "4h"):
            SignalFactory(instrument_name=name, timeframe=timeframe)
        for _ in range(GROUPS_A_POSITION):
            stop = LegFactory(group__instrument_name=name, group__lot__base_ccy=coin)
            LegFactory(group=stop.group, order_role="TAKE_PROFIT", price=stop.group.take_profit_price)
            OrderFactory.create_batch(2, instrument_name=name)
        OrderFactory.create_batch(3, instrument_name=name, filled=True)


def _make_rare() -> None:
    orders = ExchangeOrder.objects.order_by("-pk")
    orders.update(origin="FOREIGN", order_role="")
    oldest = [
        list(orders[start : start + RARE_COUNT].values_list("pk", flat=True))
        for start in range(0, 5 * RARE_COUNT, RARE_COUNT)
    ]
    is_open = {"is_open": True, "status": "ACTIVE"}
    finds = [{"status": "EXPIRED"}, {"origin": "OURS"}, {"order_role": "STOP_LOSS"}, {"is_mirror": True}]
    for keys, change in zip(oldest, [*finds, is_open], strict=True):
        ExchangeOrder.objects.filter(pk__in=keys).update(**change)


def _repeat(row: Any, count: int, changes: dict[str, str], times: tuple[str, ...]) -> None:
    """Copies of `row`, each different in some columns; `n` counts them."""
    earlier = {name: MINUTES_EARLIER_SQL[connection.vendor].format(column=name) for name in times}
    different = {**changes, **earlier}
    columns = [field.column for field in row._meta.concrete_fields if not field.primary_key]
    values = ", ".join(different.get(column, column) for column in columns)
    named = ", ".join(columns)
    table = row._meta.db_table
    copies = f"SELECT {values} FROM {table}, numbers WHERE {table}.id = {row.pk}"
    if count > 0:
        _run(f"INSERT INTO {table} ({named}) {NUMBERS.format(count=count)}{copies}")


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
