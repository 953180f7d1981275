"""Stores every order ever reported; an outdated report never moves one back (`order_merge`)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q

from exchange import schemas
from exchange.core.database import QUERY_BATCH, chunks
from exchange.models import ExchangeOrder, Trade
from exchange.sync.order_merge import changed_fields, contradicts
from exchange.sync.order_rows import (
    OrderKey,
    OrderRow,
    named,
    order_rows_insert,
    order_rows_read,
    order_rows_update,
    values_of,
)
from exchange.sync.trades import trade_orders_resolve

LINKING_FIELDS = frozenset(
    {"exchange_order_id", "instrument_name", "side"}
)  # by which a fill finds its order
MIN_DISPUTE = timedelta(seconds=10)  # between two answers that contradict the record
MAX_STALE = timedelta(
    seconds=100
)  # the same where they may only be older: no answer was ever older than that


@dataclass(slots=True)
class OrderChanges:
    """What reports will change: rows not seen before, rows that move on, orders that ended with fills.

    `rows` are all orders that the reports name, as they will be. Those in `renamed` are named otherwise
    now, or turned out to be a duplicate, which may settle whose fills are whose.
    """

    rows: dict[OrderKey, OrderRow]
    new: list[OrderRow] = field(default_factory=list)
    changed: dict[OrderKey, OrderRow] = field(default_factory=dict)
    executed: set[OrderKey] = field(default_factory=set)
    renamed: set[OrderKey] = field(default_factory=set)

    @property
    def size(self) -> int:
        return len(self.new) + len(self.changed)

    @property
    def touched(self) -> list[OrderRow]:
        """The orders that are new or change."""
        return [*self.new, *self.changed.values()]


def order_record_all(*, orders: Sequence[schemas.Order], now: datetime) -> OrderChanges:
    """Store `orders`, which may name one order several times. Doing it twice changes nothing."""
    changes = prepare_order_changes(orders=orders, now=now)
    order_store(changes=changes)
    return changes


def prepare_order_changes(*, orders: Sequence[schemas.Order], now: datetime) -> OrderChanges:
    """Compare `orders` with what we know; writes nothing."""
    changes = OrderChanges(_known_rows([(order.name_space, order.order_id) for order in orders]))
    for order in orders:
        _apply_report(changes, order, now)
    _mark_mirrors(changes)
    changes.executed = {key for key in changes.executed if not changes.rows[key].is_mirror}
    return changes


def order_store(*, changes: OrderChanges) -> None:
    """Store pending changes, in transactions of at most 500 rows, and link fills that came before their order."""
    for part in chunks(changes.new):
        with transaction.atomic(savepoint=False):
            order_rows_insert(part)
            trade_orders_resolve(order_ids=_ids(part))
    for part in chunks(list(changes.changed.values())):
        with transaction.atomic(savepoint=False):
            order_rows_update(part)
            trade_orders_resolve(order_ids=_ids(row for row in part if row.key in changes.renamed))


def _ids(rows: Iterable[OrderRow]) -> set[str]:
    return {name for row in rows for name in (row.order_id, row.exchange_order_id)} - {""}


def order_missing_all(*, keys: Collection[OrderKey], now: datetime) -> int:
    """Mark orders that the exchange neither lists nor finds: unknown, which is not closed."""
    rows = ExchangeOrder.objects.filter(named(keys), is_open=True, missing_since__isnull=True)
    return rows.update(missing_since=now) if keys else 0


def _apply_report(changes: OrderChanges, order: schemas.Order, now: datetime) -> None:
    key = (str(order.name_space), order.order_id)
    row = changes.rows.get(key)
    had_executed = row is not None and _has_executed(row)
    if row is None:
        row = changes.rows[key] = OrderRow.new(order, now)
        changes.new.append(row)
    elif (updated := _update_row(row, order, now)) and row.id is not None:
        changes.changed[key] = row
        if not LINKING_FIELDS.isdisjoint(updated):
            changes.renamed.add(key)
    if _has_executed(row) and not had_executed:
        changes.executed.add(key)


def _has_executed(row: OrderRow) -> bool:
    return row.has_fills and not row.is_open


def _update_row(row: OrderRow, order: schemas.Order, now: datetime) -> Collection[str]:
    """The names of the fields that changed."""
    values = values_of(order)
    found = _corrected(row, values, now) or changed_fields(vars(row), values)
    if row.missing_since is not None:
        found["missing_since"] = None
    if found:
        row.assign(found)
    return found.keys()


def _corrected(row: OrderRow, values: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What changes because the answers dispute the record; nothing while they do not.

    Two of them, with none between that agrees, correct a record that no fill proves. The order is linked again
    to whom it belongs, who then looks at it as if for the first time.
    """
    if not contradicts(vars(row), values):
        return {"disputed_since": None} | changed_fields(vars(row), values) if row.disputed_since else {}
    if row.disputed_since is None:
        return {"disputed_since": now} | changed_fields(vars(row), values)
    is_older = values["updated_at"] < row.updated_at
    if now - row.disputed_since < (MAX_STALE if is_older else MIN_DISPUTE) or _is_proved(row):
        return {}
    return values | {"disputed_since": None, "origin": ExchangeOrder.Origin.FOREIGN}


def _is_proved(row: OrderRow) -> bool:
    """Whether its fills add up to what it executed; that it executed nothing no fill can prove."""
    fills = Trade.objects.filter(resolved_order=row.id).values_list("quantity", flat=True) if row.id else ()
    return bool(row.filled_quantity > 0 and sum(fills, Decimal(0)) >= row.filled_quantity)


def _known_rows(keys: Sequence[OrderKey]) -> dict[OrderKey, OrderRow]:
    rows: dict[OrderKey, OrderRow] = {}
    for part in chunks(sorted(set(keys)), QUERY_BATCH):
        rows |= order_rows_read(named(part))
    return rows


def _mark_mirrors(changes: OrderChanges) -> None:
    """A triggered order may show in the plain name space too, under its second id or under the same (6.2)."""
    touched = [*changes.new, *changes.changed.values()]
    advanced = _advanced_with({row.order_id for row in touched if row.is_plain}) | changes.rows
    parents = {row.exchange_order_id or row.order_id: row for row in advanced.values() if not row.is_plain}
    second = {row.exchange_order_id or row.order_id for row in touched if not row.is_plain}
    for key, row in (_plain_with(second) | changes.rows).items():
        parent = parents.get(row.order_id)
        if row.is_plain and not row.is_mirror and parent is not None and _is_same(row, parent):
            row.is_mirror = True
            if row.id is not None:
                changes.changed[key] = row
                changes.renamed.add(key)


def _is_same(plain: OrderRow, parent: OrderRow) -> bool:
    """An id alone proves nothing: the two name spaces may number alike (dossier 5.31)."""
    facts = ("instrument_name", "side", "quantity")
    if any(getattr(plain, fact) != getattr(parent, fact) for fact in facts):
        return False
    client_oids = ("", plain.order_id, parent.client_oid)  # an unrelated order has its own
    return plain.order_id == parent.exchange_order_id or plain.client_oid in client_oids


def _advanced_with(ids: Collection[str]) -> dict[OrderKey, OrderRow]:
    either = Q(order_id__any_of=ids) | Q(exchange_order_id__any_of=ids)
    return order_rows_read(either & Q(name_space=schemas.NameSpace.ADVANCED)) if ids else {}


def _plain_with(ids: Collection[str]) -> dict[OrderKey, OrderRow]:
    plain = Q(name_space=schemas.NameSpace.PLAIN, order_id__any_of=ids, is_mirror=False)
    return order_rows_read(plain) if ids else {}
