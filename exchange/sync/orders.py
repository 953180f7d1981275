"""Stores every order ever reported; an outdated report never moves one back (`order_merge`)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from exchange import schemas
from exchange.core.database import QUERY_BATCH, chunks, fit_to_columns
from exchange.core.times import from_ms
from exchange.models import ExchangeOrder, Trade
from exchange.schemas.orders import role_of
from exchange.sync.order_merge import changed_fields, contradicts
from exchange.sync.trades import trade_orders_resolve

OrderKey = tuple[str, str]
MIN_DISPUTE = timedelta(seconds=10)  # between two answers that contradict the record
MAX_STALE = timedelta(
    seconds=100
)  # the same where they may only be older: no answer was ever older than that


@dataclass(slots=True)
class OrderChanges:
    """What reports will change: rows not seen before, rows that move on, orders that ended with fills.

    `rows` are all orders that the reports name, as they will be. Those in `renamed` got a second id or turned
    out to be a duplicate, which may settle whose fills are whose.
    """

    rows: dict[OrderKey, ExchangeOrder]
    new: list[ExchangeOrder] = field(default_factory=list)
    changed: dict[OrderKey, ExchangeOrder] = field(default_factory=dict)
    executed: set[OrderKey] = field(default_factory=set)
    renamed: set[OrderKey] = field(default_factory=set)

    @property
    def size(self) -> int:
        return len(self.new) + len(self.changed)

    @property
    def touched(self) -> list[ExchangeOrder]:
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
            ExchangeOrder.objects.bulk_create(part)
            trade_orders_resolve(order_ids=_ids(part))
    for part in chunks(list(changes.changed.values())):
        with transaction.atomic(savepoint=False):
            ExchangeOrder.objects.bulk_update(part, UPDATED_FIELDS)
            trade_orders_resolve(order_ids=_ids(row for row in part if _key(row) in changes.renamed))


def _ids(rows: Iterable[ExchangeOrder]) -> set[str]:
    return {name for row in rows for name in (row.order_id, row.exchange_order_id)} - {""}


def _key(row: ExchangeOrder) -> OrderKey:
    return row.name_space, row.order_id


def order_missing_all(*, keys: Collection[OrderKey], now: datetime) -> int:
    """Mark orders that the exchange neither lists nor finds: unknown, which is not closed."""
    rows = ExchangeOrder.objects.filter(_named(keys), is_open=True, missing_since__isnull=True)
    return rows.update(missing_since=now) if keys else 0


def _apply_report(changes: OrderChanges, order: schemas.Order, now: datetime) -> None:
    key = (str(order.name_space), order.order_id)
    row = changes.rows.get(key)
    had_executed = row is not None and _has_executed(row)
    if row is None:
        row = changes.rows[key] = _new_row(order, now)
        changes.new.append(row)
    elif (updated := _update_row(row, order, now)) and row.pk:
        changes.changed[key] = row
        if "exchange_order_id" in updated:
            changes.renamed.add(key)
    if _has_executed(row) and not had_executed:
        changes.executed.add(key)


def _has_executed(row: ExchangeOrder) -> bool:
    return row.has_fills and not row.is_open


def _new_row(order: schemas.Order, now: datetime) -> ExchangeOrder:
    row = ExchangeOrder(name_space=order.name_space, order_id=order.order_id, first_seen_at=now)
    _assign(row, values_of(order))
    return row


def _update_row(row: ExchangeOrder, order: schemas.Order, now: datetime) -> Collection[str]:
    """The names of the fields that changed."""
    values = values_of(order)
    found = _corrected(row, values, now) or changed_fields(vars(row), values)
    if row.missing_since is not None:
        found["missing_since"] = None
    if found:
        _assign(row, found)
    return found.keys()


def _corrected(row: ExchangeOrder, values: dict[str, Any], now: datetime) -> dict[str, Any]:
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


def _is_proved(row: ExchangeOrder) -> bool:
    """Whether its fills add up to what it executed; that it executed nothing no fill can prove."""
    fills = Trade.objects.filter(resolved_order=row).values_list("quantity", flat=True) if row.pk else ()
    return bool(row.filled_quantity > 0 and sum(fills, Decimal(0)) >= row.filled_quantity)


def _assign(row: ExchangeOrder, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.is_open = not schemas.is_terminal(row.status)
    row.has_fills = row.filled_quantity > 0
    if "list_id" in values:
        row.order_role = _role(row)


def _role(row: ExchangeOrder) -> str:
    """Of linked orders only an OCO makes its LIMIT leg a take profit; that of an OTO is the order it depends on."""
    return role_of(
        order_type=row.order_type,
        side=row.side,
        instrument_name=row.instrument_name,
        in_pair=bool(row.list_id) and row.contingency_type in ("", "OCO"),
        cash=settings.CASH_CURRENCIES,
    )


def _known_rows(keys: Sequence[OrderKey]) -> dict[OrderKey, ExchangeOrder]:
    rows: dict[OrderKey, ExchangeOrder] = {}
    for part in chunks(sorted(set(keys)), QUERY_BATCH):
        rows |= _by_key(ExchangeOrder.objects.filter(_named(part)))
    return rows


def _by_key(rows: Iterable[ExchangeOrder]) -> dict[OrderKey, ExchangeOrder]:
    return {_key(row): row for row in rows}


def _named(keys: Collection[OrderKey]) -> Q:
    named = Q(pk__in=[])
    for space in ExchangeOrder.NameSpace.values:
        ids = [order_id for name_space, order_id in keys if name_space == space]
        if ids:
            named |= Q(name_space=space, order_id__in=ids)
    return named


def _mark_mirrors(changes: OrderChanges) -> None:
    """A triggered order may show in the plain name space too, under its second id or under the same (6.2)."""
    touched = [*changes.new, *changes.changed.values()]
    advanced = _advanced_with({row.order_id for row in touched if _is_plain(row)}) | changes.rows
    parents = {row.exchange_order_id or row.order_id: row for row in advanced.values() if not _is_plain(row)}
    second = {row.exchange_order_id or row.order_id for row in touched if not _is_plain(row)}
    for key, row in (_plain_with(second) | changes.rows).items():
        parent = parents.get(row.order_id)
        if _is_plain(row) and not row.is_mirror and parent is not None and _is_same(row, parent):
            row.is_mirror = True
            if row.pk:
                changes.changed[key] = row
                changes.renamed.add(key)


def _is_plain(row: ExchangeOrder) -> bool:
    return row.name_space == schemas.NameSpace.PLAIN


def _is_same(plain: ExchangeOrder, parent: ExchangeOrder) -> bool:
    """An id alone proves nothing: the two name spaces may number alike (dossier 5.31)."""
    facts = ("instrument_name", "side", "quantity")
    if any(getattr(plain, fact) != getattr(parent, fact) for fact in facts):
        return False
    client_oids = ("", plain.order_id, parent.client_oid)  # an unrelated order has its own
    return plain.order_id == parent.exchange_order_id or plain.client_oid in client_oids


def _advanced_with(ids: Collection[str]) -> dict[OrderKey, ExchangeOrder]:
    named = Q(order_id__in=ids) | Q(exchange_order_id__in=ids)
    rows = ExchangeOrder.objects.filter(named, name_space=schemas.NameSpace.ADVANCED)
    return _by_key(rows) if ids else {}


def _plain_with(ids: Collection[str]) -> dict[OrderKey, ExchangeOrder]:
    rows = ExchangeOrder.objects.filter(name_space=schemas.NameSpace.PLAIN, order_id__in=ids, is_mirror=False)
    return _by_key(rows) if ids else {}


def values_of(order: schemas.Order) -> dict[str, Any]:
    """The columns that a report about `order` sets."""
    columns = {
        "exchange_order_id": order.exchange_order_id,
        "client_oid": order.client_oid,
        "account_id": order.account_id,
        "instrument_name": order.instrument_name,
        "side": order.side,
        "order_type": order.order_type,
        "time_in_force": order.time_in_force,
        "exec_inst": list(order.exec_inst),
        "status": order.status,
        "reason": order.reason,
        "reject_reason": order.reject_reason,
        "quantity": order.quantity,
        "price": order.limit_price,
        "trigger_price": order.ref_price,
        "trigger_price_type": order.ref_price_type,
        "order_value": order.order_value,
        "filled_quantity": order.cumulative_quantity,
        "filled_value": order.cumulative_value,
        "average_price": order.avg_price,
        "cumulative_fee": order.cumulative_fee,
        "fee_currency": order.fee_instrument_name,
        "maker_fee_rate": order.maker_fee_rate,
        "taker_fee_rate": order.taker_fee_rate,
        "list_id": order.list_id,
        "contingency_type": order.contingency_type,
        "leg_id": order.leg_id,
        "attach_order_id": order.attach_order_id,
        "isolation_id": order.isolation_id,
        "isolation_type": order.isolation_type,
        "leverage": order.leverage,
        "created_at": from_ms(order.create_time_ms),
        "created_ns": order.create_time_ns,
        "updated_at": from_ms(order.update_time_ms),
    }
    return fit_to_columns(ExchangeOrder, columns)


REPORTED_FIELDS = (
    *(
        "exchange_order_id",
        "client_oid",
        "account_id",
        "instrument_name",
        "side",
        "order_type",
        "time_in_force",
    ),
    *(
        "exec_inst",
        "status",
        "reason",
        "reject_reason",
        "quantity",
        "price",
        "trigger_price",
        "trigger_price_type",
    ),
    *("order_value", "filled_quantity", "filled_value", "average_price", "cumulative_fee", "fee_currency"),
    *("maker_fee_rate", "taker_fee_rate", "list_id", "contingency_type", "leg_id", "attach_order_id"),
    *("isolation_id", "isolation_type", "leverage", "created_at", "created_ns", "updated_at"),
)
UPDATED_FIELDS = [
    *REPORTED_FIELDS,
    *("missing_since", "disputed_since", "origin", "is_open", "has_fills", "order_role", "is_mirror"),
]
