"""The stored orders as a cycle compares them, and the columns that a report about an order sets."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from exchange import schemas
from exchange.core.bulk import TableRow, rows_read, rows_update, rows_write
from exchange.core.database import fit_to_columns
from exchange.core.times import from_ms
from exchange.models import ExchangeOrder
from exchange.schemas.orders import role_of

OrderKey = tuple[str, str]
COLUMNS = tuple(field.attname for field in ExchangeOrder._meta.concrete_fields)
NEW_COLUMNS = COLUMNS[1:]  # without the key
# What a later report about an order changes.
UPDATED_COLUMNS = tuple(
    name for name in NEW_COLUMNS if name not in ("name_space", "order_id", "first_seen_at", "oco_group_id")
)


class OrderRow(TableRow):
    """One row of `exchange_orders`; `id` is None until it is stored."""

    id: int | None
    name_space: str
    order_id: str
    exchange_order_id: str
    client_oid: str
    instrument_name: str
    side: str
    order_type: str
    status: str
    quantity: Decimal | None
    filled_quantity: Decimal
    list_id: str
    contingency_type: str
    order_role: str
    origin: str
    oco_group_id: UUID | None
    updated_at: datetime
    missing_since: datetime | None
    disputed_since: datetime | None
    is_open: bool
    has_fills: bool
    is_mirror: bool

    @classmethod
    def new(cls, order: schemas.Order, now: datetime) -> Self:
        """The row of an order that was not seen before."""
        row = cls(
            {
                "id": None,
                "name_space": str(order.name_space),
                "order_id": order.order_id,
                "origin": ExchangeOrder.Origin.FOREIGN.value,
                "oco_group_id": None,
                "first_seen_at": now,
                "missing_since": None,
                "disputed_since": None,
                "is_mirror": False,
            }
        )
        row.assign(values_of(order))
        return row

    @property
    def key(self) -> OrderKey:
        return self.name_space, self.order_id

    @property
    def is_plain(self) -> bool:
        return self.name_space == schemas.NameSpace.PLAIN

    def assign(self, values: Mapping[str, Any]) -> None:
        """Set these columns, and those that follow from them."""
        vars(self).update(values)
        self.is_open = not schemas.is_terminal(self.status)
        self.has_fills = self.filled_quantity > 0
        if "list_id" in values:
            self.order_role = self._role()

    def _role(self) -> str:
        """Of linked orders only an OCO makes its LIMIT leg a take profit; that of an OTO is the order it depends on."""
        return role_of(
            order_type=self.order_type,
            side=self.side,
            instrument_name=self.instrument_name,
            in_pair=bool(self.list_id) and self.contingency_type in ("", "OCO"),
            cash=settings.CASH_CURRENCIES,
        )


def order_rows_read(named: Q) -> dict[OrderKey, OrderRow]:
    """The stored orders of this condition."""
    stored = rows_read(ExchangeOrder.objects.filter(named).order_by(), COLUMNS)
    rows = [OrderRow(dict(zip(COLUMNS, values, strict=True))) for values in stored]
    return {row.key: row for row in rows}


def order_rows_insert(rows: Sequence[OrderRow]) -> None:
    """Call it in a transaction."""
    rows_write(ExchangeOrder, NEW_COLUMNS, [row.values(NEW_COLUMNS) for row in rows])


def order_rows_update(rows: Sequence[OrderRow]) -> None:
    """Store what changed of known orders, not of what group they are. Call it in a transaction."""
    rows_update(ExchangeOrder, UPDATED_COLUMNS, [row.values((*UPDATED_COLUMNS, "id")) for row in rows])


def named(keys: Collection[OrderKey]) -> Q:
    """The orders with one of these keys."""
    found = Q(pk__in=[])
    for space in ExchangeOrder.NameSpace.values:
        ids = [order_id for name_space, order_id in keys if name_space == space]
        if ids:
            found |= Q(name_space=space, order_id__any_of=ids)
    return found


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
