"""The entries of the cost basis as rows: thousands are entered and recalculated in a cycle."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from exchange.core.bulk import TableRow, rows_read, rows_update, rows_write
from exchange.models import Trade
from portfolio.accounting.cost_basis import EMPTY, Change, Fill, Stock, apply_change, changes_with_cash
from portfolio.models import CostEntry

TRADE_COLUMNS = (
    *("id", "create_time_ns", "trade_id", "order_id"),
    *("instrument_name", "side", "quantity", "price", "fee", "fee_currency", "quote_usd", "fee_usd"),
)
FILL_COLUMNS = TRADE_COLUMNS[4:]
ENTRY_COLUMNS = tuple(field.attname for field in CostEntry._meta.concrete_fields)
NEW_COLUMNS = ENTRY_COLUMNS[1:]  # without the key
CALCULATED_COLUMNS = ("stock", "stock_cost_usd", "stock_uncosted", "unexplained", "realised_usd")
ENTRY_KEY = ("currency", "at_ns", "trade_id")
NOT_CALCULATED: dict[str, Any] = {
    "stock": None,
    "stock_cost_usd": None,
    "stock_uncosted": EMPTY.uncosted,
    "unexplained": EMPTY.quantity,
    "realised_usd": None,
}
TradeRow = tuple[Any, ...]
"""The `TRADE_COLUMNS` of a stored trade."""


class EntryRow(TableRow):
    """One row of `portfolio_cost_entries`."""

    currency: str
    at_ns: int
    trade_id: str
    change: Decimal
    usd: Decimal | None
    is_sale: bool
    stock: Decimal | None
    stock_cost_usd: Decimal | None
    stock_uncosted: Decimal
    unexplained: Decimal
    realised_usd: Decimal | None

    @property
    def calculated(self) -> Sequence[Any]:
        """What depends on the entries before it."""
        return self.values(CALCULATED_COLUMNS)

    def calculate(self, stock: Stock) -> Stock:
        """Set what follows from the stock before it; returns the stock after it."""
        change = Change(currency=self.currency, quantity=self.change, usd=self.usd, is_sale=self.is_sale)
        self.unexplained = stock.unexplained(-change.quantity) if change.is_sale else EMPTY.quantity
        stock, self.realised_usd = apply_change(stock, change)
        self.stock, self.stock_cost_usd, self.stock_uncosted = stock.quantity, stock.cost, stock.uncosted
        return stock


def changes_of(row: TradeRow) -> list[Change]:
    """Of every currency that the fill touches."""
    fill = Fill(**dict(zip(FILL_COLUMNS, row[4:], strict=True)))
    return list(changes_with_cash(fill, cash=settings.CASH_CURRENCIES))


def entries_of(row: TradeRow, changes: Iterable[Change]) -> list[EntryRow]:
    """New entries, not calculated. Cash has no cost."""
    cash = settings.CASH_CURRENCIES
    _, at_ns, trade_id, order_id, instrument_name, *_ = row
    return [
        EntryRow(
            {
                **NOT_CALCULATED,
                "currency": change.currency,
                "at_ns": at_ns,
                "trade_id": trade_id,
                "order_id": order_id,
                "instrument_name": instrument_name,
                "change": change.quantity,
                "usd": change.usd,
                "is_sale": change.is_sale,
            }
        )
        for change in changes
        if change.currency not in cash
    ]


def entries_of_trade(trade: Trade) -> list[EntryRow]:
    row = tuple(getattr(trade, name) for name in TRADE_COLUMNS)
    return entries_of(row, changes_of(row))


def entry_rows(entries: QuerySet[CostEntry]) -> list[EntryRow]:
    """Stored entries, in their order."""
    rows = rows_read(entries, ENTRY_COLUMNS)
    return [EntryRow(dict(zip(ENTRY_COLUMNS, values, strict=True))) for values in rows]


def write_entries(entries: Sequence[EntryRow], update: Sequence[str]) -> None:
    """Insert them; of those that are there already only `update` changes. Call it in a transaction."""
    rows = [entry.values(NEW_COLUMNS) for entry in entries]
    rows_write(CostEntry, NEW_COLUMNS, rows, unique=ENTRY_KEY, update=update)


def write_calculated(entries: Sequence[EntryRow]) -> None:
    """Store what was calculated of stored entries. Call it in a transaction."""
    rows = [entry.values((*CALCULATED_COLUMNS, "id")) for entry in entries]
    rows_update(CostEntry, CALCULATED_COLUMNS, rows)


def stock_before(currency: str, at_ns: int) -> Stock:
    """What the entries before that moment explain."""
    rows = CostEntry.objects.filter(currency=currency, at_ns__lt=at_ns).order_by("-at_ns", "-trade_id")
    found = rows.values_list("stock", "stock_cost_usd", "stock_uncosted").first()
    quantity, cost, uncosted = found or (None, None, EMPTY.uncosted)
    return EMPTY if quantity is None or cost is None else Stock(quantity, cost, uncosted)
