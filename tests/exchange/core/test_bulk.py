"""A row that is written without a model is the row that the model would have written, and it is read as one."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection

from exchange.core.bulk import POSTGRES_ROWS, rows_read, rows_update, rows_write
from exchange.models import ExchangeOrder, Trade
from portfolio.models import CostEntry
from tests.factories import OrderFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
NUMBERS = [Decimal(one) for one in ("0", "-0", "0E-8", "1E+5", "1.2300", "-0.000000000000000001", "9" * 30)]
TEXTS = ["", "plain", 'ünï\'cöde "%s" %% ; --', "x" * 64]
TIMES = [NOW, NOW + timedelta(microseconds=1), NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))]


def columns_of(model):
    return tuple(field.attname for field in model._meta.concrete_fields)


def stored(model):
    """The rows as the database holds them, without their keys."""
    names = ", ".join(connection.ops.quote_name(field.column) for field in model._meta.concrete_fields[1:])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {model._meta.db_table} ORDER BY id")
        return [[str(value) for value in row] for row in cursor.fetchall()]


def orders():
    """Every kind of column, with unusual values."""
    for number, value in enumerate(NUMBERS):
        yield {
            **{field.attname: field.get_default() for field in ExchangeOrder._meta.concrete_fields[1:]},
            "name_space": "PLAIN",
            "order_id": str(number),
            "client_oid": TEXTS[number % 4],
            "exec_inst": [[], ["POST_ONLY"], ["a", "ü"]][number % 3],
            "reason": [None, 0, -1][number % 3],
            "quantity": value,
            "filled_quantity": -value,
            "price": None,
            "oco_group_id": UUID(int=number) if number % 2 else None,
            "created_at": TIMES[number % 3],
            "created_ns": None if number % 2 else 1_785_587_000_123_456_789,
            "updated_at": TIMES[(number + 1) % 3],
            "first_seen_at": NOW,
            "missing_since": None,
            "is_open": bool(number % 2),
            "has_fills": False,
        }


def write_orders(rows):
    names = columns_of(ExchangeOrder)[1:]
    rows_write(ExchangeOrder, names, [[row[name] for name in names] for row in rows])


def test_a_row_is_written_as_its_model_would_write_it():
    write_orders(list(orders()))
    written = stored(ExchangeOrder)
    ExchangeOrder.objects.all().delete()
    ExchangeOrder.objects.bulk_create(ExchangeOrder(**row) for row in orders())
    assert len(written) == len(NUMBERS)
    assert written == stored(ExchangeOrder)


def test_a_row_is_changed_as_its_model_would_change_it():
    names = columns_of(ExchangeOrder)[1:]
    for row in orders():
        OrderFactory(name_space="PLAIN", order_id=row["order_id"])
    keys = dict(ExchangeOrder.objects.values_list("order_id", "pk"))
    other = OrderFactory(name_space="ADVANCED", order_id="other")
    changes = [[*(row[name] for name in names), keys[row["order_id"]]] for row in orders()]
    rows_update(ExchangeOrder, names, changes)
    changed = stored(ExchangeOrder)[:-1]
    ExchangeOrder.objects.exclude(pk=other.pk).delete()
    ExchangeOrder.objects.bulk_create(ExchangeOrder(**row) for row in orders())
    assert changed == stored(ExchangeOrder)[1:]
    before = other.updated_at
    other.refresh_from_db()
    assert (other.order_id, other.updated_at) == ("other", before)


def test_a_row_is_read_as_its_model_reads_it():
    write_orders(list(orders()))
    rows = ExchangeOrder.objects.order_by("pk")
    names = columns_of(ExchangeOrder)
    assert rows_read(rows, names) == list(rows.values_list(*names))
    assert [type(value) for value in rows_read(rows, names)[1]] == [
        type(value) for value in rows.values_list(*names)[1]
    ]
    assert rows_read(rows[2:4], ("order_id", "quantity")) == list(
        rows.values_list("order_id", "quantity")[2:4]
    )
    assert rows_read(rows.none(), names) == rows_read(rows.filter(order_id="no"), names) == []


def entry(number, **changes):
    return {
        **{field.attname: field.get_default() for field in CostEntry._meta.concrete_fields[1:]},
        "currency": "BTC",
        "at_ns": number,
        "trade_id": str(number),
        "change": Decimal(number),
        "usd": None,
        "is_sale": False,
        **changes,
    }


def write_entries(rows, update):
    names = columns_of(CostEntry)[1:]
    values = [[row[name] for name in names] for row in rows]
    rows_write(CostEntry, names, values, unique=("currency", "at_ns", "trade_id"), update=update)


def test_a_row_that_is_there_stays_or_changes_in_the_named_columns_alone():
    write_entries([entry(1), entry(2)], ())
    again = [entry(1, change=Decimal(9), usd=Decimal(5)), entry(3)]
    write_entries(again, ())
    rows = CostEntry.objects.order_by("at_ns").values_list("change", "usd")
    assert list(rows.all()) == [(1, None), (2, None), (3, None)]
    write_entries(again, ("usd",))
    assert list(rows.all()) == [(1, 5), (2, None), (3, None)]


def test_more_rows_than_one_statement_takes():
    many = POSTGRES_ROWS * 2 + 1
    write_entries([entry(number) for number in range(many)], ())
    keys = list(CostEntry.objects.order_by("at_ns").values_list("pk", flat=True))
    rows_update(CostEntry, ("usd", "stock"), [[Decimal(pk), None, pk] for pk in keys])
    assert set(CostEntry.objects.values_list("usd", "stock")) == {(pk, None) for pk in keys}
    assert len(keys) == many


def test_nothing_is_nothing():
    rows_write(Trade, ("trade_id",), [])
    rows_update(Trade, ("order_id",), [])
    assert not Trade.objects.exists()


@pytest.mark.parametrize("ids", [[], ["1"], ["1", "3", "it's", '"', "%s"]])
def test_any_of_finds_what_in_finds(ids):
    write_orders(list(orders()))
    found = ExchangeOrder.objects.filter(order_id__any_of=ids)
    assert set(found) == set(ExchangeOrder.objects.filter(order_id__in=ids))
    keys = [row.pk for row in found]
    assert set(ExchangeOrder.objects.filter(pk__any_of=keys)) == set(found)


def test_any_of_goes_by_the_index():
    plan = ExchangeOrder.objects.filter(name_space="PLAIN", order_id__any_of=["1", "2"]).explain()
    if connection.vendor == "sqlite":
        assert "USING INDEX" in plan
        assert "name_space=? AND order_id=?" in plan
