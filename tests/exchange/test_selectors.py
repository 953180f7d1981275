"""Reading for display stays quick: it walks the partial indexes and nothing else."""

from decimal import Decimal

import pytest
from django.db import connection

from exchange.admin.orders import ExchangeOrderAdmin
from exchange.models import ExchangeOrder
from exchange.selectors import decimals_of, orders_executed, orders_open
from tests.factories import OrderFactory

pytestmark = pytest.mark.django_db


def plan(queryset) -> str:
    """How the database means to find the rows; PostgreSQL sees an empty table and is told of a large one."""
    if connection.vendor == "postgresql":
        connection.cursor().execute(
            "TRUNCATE exchange_orders CASCADE"
        )  # also of what earlier tests left behind
        for costly in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            connection.cursor().execute(f"SET LOCAL {costly} = off")
    return queryset.explain()


def test_open_orders_come_from_their_own_small_index():
    assert "orders_open" in plan(orders_open())


def test_executed_orders_are_walked_in_order_without_sorting():
    text = plan(orders_executed()[:50])
    assert "orders_executed" in text
    assert "TEMP B-TREE" not in text
    assert "Sort" not in text


def test_a_search_by_id_reads_no_whole_table():
    OrderFactory(order_id="61")
    admin = ExchangeOrderAdmin(ExchangeOrder, None)
    found, _ = admin.get_search_results(None, ExchangeOrder.objects.order_by(), "61")
    assert "SCAN exchange_orders" not in plan(found)
    assert "Seq Scan on exchange_orders" not in plan(found)


@pytest.mark.parametrize(
    ("tick", "decimals"), [("0.01", 2), ("0.50", 1), ("1", 0), ("10000", 0), ("1E-8", 8), ("1E+4", 0)]
)
def test_the_grid_tells_the_decimals(tick, decimals):
    assert decimals_of(Decimal(tick)) == decimals
