"""A pull is one transaction while it is small; a large one is written in pieces of at most 500 rows a table."""

import re
from collections import Counter
from itertools import count

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from exchange.core import bulk
from exchange.models import ExchangeOrder, Trade
from exchange.sync.orders import OrderChanges
from exchange.sync.store import MAX_TRANSACTION_ROWS, PendingChanges, single_transaction


@pytest.fixture
def transactions(monkeypatch):
    """Rows written in bulk, by outermost transaction and table; the test's own transaction does not count as one."""
    counted: Counter[tuple[object, str]] = Counter()
    outside = len(connection.savepoint_ids)
    started = count()
    current = [next(started)]
    enter = transaction.Atomic.__enter__

    def entered(atomic):
        if len(connection.savepoint_ids) == outside:
            current[0] = next(started)
        return enter(atomic)

    monkeypatch.setattr(transaction.Atomic, "__enter__", entered)

    def add(table, rows):
        one = current[0] if len(connection.savepoint_ids) > outside else object()
        counted[one, table] += len(rows)

    def note(name):
        real = getattr(QuerySet, name)

        def noted(self, objs, *args, **kwargs):
            rows = list(objs)
            add(self.model._meta.db_table, rows)
            return real(self, rows, *args, **kwargs)

        monkeypatch.setattr(QuerySet, name, noted)

    note("bulk_create")
    note("bulk_update")
    execute = bulk._execute

    def executed(start, one, end, rows):
        add(re.search(r'(INTO|UPDATE) "(\w+)"', start)[2], rows)
        execute(start, one, end, rows)

    monkeypatch.setattr(bulk, "_execute", executed)
    return counted


def test_a_small_pull_is_seen_whole_or_not_at_all(desk, world, transactions):
    desk.sync_ok()
    transactions.clear()
    world.deposit("BTC", 1)
    for _ in range(3):
        world.buy("BTC_USD", "0.01")
    desk.sync_ok()
    orders, fills, balances = 3, 3, 2
    first = next(iter(transactions))[0]
    protective = {table: rows for (one, table), rows in transactions.items() if one == first}
    assert protective == {"exchange_trades": fills, "portfolio_balances": balances}  # what protection needs
    # Their records come with the history, and with each its fill.
    (second,) = (one for one, table in transactions if table == "exchange_orders")
    assert transactions[second, "exchange_orders"] == orders
    assert transactions[second, "exchange_trades"] == fills


def test_a_large_pull_is_written_in_pieces(desk, world, transactions):
    for _ in range(700):
        world.buy("BTC_USD", "0.0001")
        world.tick(0.05)
    run = desk.sync_ok()
    assert run.trades > 400
    assert sum(transactions.values()) > 2000
    assert max(transactions.values()) <= 500


def test_a_catalogue_and_six_hundred_open_orders_are_no_large_transaction(desk, world, transactions):
    world.deposit("USD", 1_000_000)
    names = [name for name in world.exchange.instruments if name.endswith("_USD")][:4]
    for n in range(600):
        name = names[n % 4]
        instrument = world.exchange.instruments[name]
        price = world.price(name) / 2 // instrument.price_tick * instrument.price_tick
        world.buy(name, max(instrument.lot, 2 / price // instrument.lot * instrument.lot), price)
    assert desk.sync_ok().open_orders == 600
    assert max(transactions.values()) <= 500
    transactions.clear()
    desk.sync_ok()
    assert sum(transactions.values()) == 2  # the balance and what it is worth
    assert ExchangeOrder.objects.count() == 600
    assert not Trade.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("rows", "whole"), [(MAX_TRANSACTION_ROWS, True), (MAX_TRANSACTION_ROWS + 1, False)])
def test_where_the_line_is(rows, whole):
    changes = PendingChanges(OrderChanges({}, new=[ExchangeOrder()] * (rows - 1)), [Trade()])
    before = len(connection.savepoint_ids)
    with single_transaction(changes):
        assert (len(connection.savepoint_ids) > before) is whole
