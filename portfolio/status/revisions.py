"""Revisions: a number for each group of tables that changes with every write to one of them, whoever writes.

The database itself changes them, in triggers, so that they belong to the transaction of the write: whoever sees the
old revision sees the old rows. An answer may therefore be kept until the revision changes. The numbers are random:
after a rollback or a restored backup none comes back with other rows. One row for each group; on PostgreSQL one more
for each transaction that writes at the same time, because writers must not wait for each other here.

On SQLite a trigger more than doubles the cost of a statement for a single row. The tables that grow by thousands of
those have none for new rows: SQLite itself numbers these (AUTOINCREMENT), and the last number is part of the revision.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from exchange.models import (
    Candle,
    ExchangeOrder,
    Heartbeat,
    Instrument,
    Quote,
    StreamRecord,
    SyncRun,
    Trade,
    TradingSwitch,
)
from exchange.models.sync import HistoryRange
from oco.models import Lot, LotTrade, OcoEvent, OcoGroup, OcoLeg, ProtectionPolicy, Watermark
from portfolio.models import (
    Alert,
    AlertDismissal,
    Balance,
    BalanceChange,
    CoinDrift,
    CostEntry,
    Perpetual,
    PortfolioSnapshot,
    PositionCost,
    Signal,
    WatchlistItem,
)

ACCOUNT, PAGES, BEATS = "account", "pages", "beats"
REVISED: dict[str, tuple[type[Model], ...]] = {
    # What `/api/dashboard/state` shows.
    ACCOUNT: (
        *(ExchangeOrder, Trade, HistoryRange, Instrument, Quote, SyncRun, TradingSwitch),
        *(Lot, LotTrade, OcoGroup, OcoLeg, ProtectionPolicy, Watermark),
        *(Balance, BalanceChange, CoinDrift, Perpetual, PortfolioSnapshot, PositionCost),
        *(Signal, WatchlistItem),
    ),
    # What only pages show.
    PAGES: (Alert, AlertDismissal, Candle, CostEntry, OcoEvent),
    # What is written every few seconds.
    BEATS: (Heartbeat, StreamRecord),
}
NUMBERED: tuple[type[Model], ...] = (ExchangeOrder, Trade, CostEntry)
TABLE = "portfolio_revisions"
EVENTS = ("INSERT", "UPDATE", "DELETE")

SQLITE_TABLE = f"CREATE TABLE IF NOT EXISTS {TABLE} (name varchar(16) PRIMARY KEY, value bigint NOT NULL)"
SQLITE_TRIGGER = f"""
CREATE TRIGGER "{{trigger}}" AFTER {{event}} ON "{{table}}" BEGIN
    UPDATE {TABLE} SET value = random() WHERE name = '{{group}}';
END
"""  # noqa: S608  # a constant
SQLITE_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"

SQLITE_READ = " UNION ALL ".join(
    [
        f"SELECT name, '', value FROM {TABLE}",  # noqa: S608  # constants
        *(
            f"SELECT '{group}', name, seq FROM sqlite_sequence WHERE name = '{model._meta.db_table}'"  # noqa: S608
            for group, models in REVISED.items()
            for model in models
            if model in NUMBERED
        ),
    ]
)

POSTGRESQL_TABLE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} "
    "(id bigserial PRIMARY KEY, name varchar(16) NOT NULL, value bigint NOT NULL)"
)
RANDOM_BIGINT = "(random() * 9007199254740992)::bigint"
POSTGRESQL_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {TABLE}_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE {TABLE} SET value = {RANDOM_BIGINT} WHERE id = (
        SELECT id FROM {TABLE} WHERE name = TG_ARGV[0] ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    );
    IF NOT FOUND THEN
        INSERT INTO {TABLE} (name, value) VALUES (TG_ARGV[0], {RANDOM_BIGINT});
    END IF;
    RETURN NULL;
END $$
"""  # noqa: S608  # constants
POSTGRESQL_TRIGGER = (
    'CREATE TRIGGER "{trigger}" AFTER {event} ON "{table}" FOR EACH STATEMENT '
    f"EXECUTE FUNCTION {TABLE}_change('{{group}}')"
)
POSTGRESQL_READ = f"SELECT name, id, value FROM {TABLE} ORDER BY id"  # noqa: S608  # a constant
POSTGRESQL_TRIGGERS = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"


@dataclass(frozen=True, slots=True)
class Revisions:
    """Equal ones mean that no row of these groups differs."""

    account: str
    pages: str
    beats: str


def revisions_read() -> Revisions | None:
    """One query. None while the database cannot tell: then nothing may be kept."""
    with connection.cursor() as cursor:
        cursor.execute(SQLITE_READ if connection.vendor == "sqlite" else POSTGRESQL_READ)
        found: dict[str, str] = {}
        for group, source, value in cursor.fetchall():
            found[group] = f"{found.get(group, '')}{source}.{value} "
    if not found.keys() >= REVISED.keys():
        return None
    return Revisions(account=found[ACCOUNT], pages=found[PAGES], beats=found[BEATS])


def revisions_install(**_signal: Any) -> None:
    """After each `migrate`: what is missing of the table and the triggers, and new numbers for all groups.

    SQLite drops the triggers of a table that a migration makes anew.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        is_sqlite = connection.vendor == "sqlite"
        for statement in (SQLITE_TABLE,) if is_sqlite else (POSTGRESQL_TABLE, POSTGRESQL_FUNCTION):
            cursor.execute(statement)
        cursor.execute(SQLITE_TRIGGERS if is_sqlite else POSTGRESQL_TRIGGERS)
        known = {name for (name,) in cursor.fetchall()}
        tables = set(connection.introspection.table_names(cursor))
        template = SQLITE_TRIGGER if is_sqlite else POSTGRESQL_TRIGGER
        for statement in _missing_triggers(template, known=known, tables=tables):
            cursor.execute(statement)
        cursor.execute(f"DELETE FROM {TABLE}")  # noqa: S608  # a constant
        fresh = "random()" if is_sqlite else RANDOM_BIGINT
        for group in REVISED:
            cursor.execute(f"INSERT INTO {TABLE} (name, value) VALUES (%s, {fresh})", [group])  # noqa: S608


def revised_tables(groups: Iterable[str] = REVISED) -> set[str]:
    return {model._meta.db_table for group in groups for model in REVISED[group]}


def _missing_triggers(template: str, *, known: set[str], tables: set[str]) -> Iterator[str]:
    for group, models in REVISED.items():
        for model in models:
            table = model._meta.db_table
            for event in _events(model) if table in tables else ():
                trigger = f"revised_{table}_{event.lower()}"
                if trigger not in known:
                    yield template.format(trigger=trigger, event=event, table=table, group=group)


def _events(model: type[Model]) -> tuple[str, ...]:
    is_numbered = connection.vendor == "sqlite" and model in NUMBERED
    return tuple(event for event in EVENTS if event != "INSERT" or not is_numbered)
