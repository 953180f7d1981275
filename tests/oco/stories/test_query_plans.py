"""No statement of the worker walks a whole table that grows with the years."""

import re
from contextlib import contextmanager

import pytest
from django.db import connection

from portfolio import tasks
from portfolio.worker.runner import narrow_run
from tests.oco.support import resting

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL decides by the size of a table"
)
GROWING = (
    *("exchange_orders", "exchange_trades", "exchange_auditentry", "sync_runs"),
    *("oco_lots", "oco_lot_trades", "oco_groups", "oco_legs", "oco_events"),
    *("portfolio_alerts", "portfolio_cost_entries", "portfolio_snapshots", "portfolio_signals"),
)


@contextmanager
def statements():
    """Those of a block, with their parameters."""
    found = set()

    def note(execute, sql, params, many, context):
        if not many and sql.split()[0] in ("SELECT", "UPDATE", "DELETE", "INSERT"):
            found.add((sql, tuple(params or ())))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def partial_indexes():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'")
        return {name for (name,) in cursor.fetchall()}


def walks(found):
    """The steps of their plans that may visit each row of a growing table, with the statement."""
    small, steps = partial_indexes(), set()
    for sql, params in found:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            for *_, step in cursor.fetchall():
                table, index = re.match(r"(?:SCAN (\w+))?(?:.* INDEX (\w+))?", step).groups()
                is_newest = "ORDER BY" in sql and "LIMIT" in sql and index is not None
                if table in GROWING and index not in small and not is_newest:
                    steps.add((step, sql))
    return steps


def test_cycles(desk, world, held):
    with statements() as found:
        assert desk.unchecked().status == "OK"
        world.buy("ETH_USD", "0.5")
        world.buy("BTC_USD", "0.01", fee_instrument_name="BTC")
        world.buy("BTC_USD", "0.01", price=world.price("BTC_USD") / 2)
        assert desk.unchecked().status == "OK"
        world.deposit("ETH", 1)
        world.sell("ETH_USD", "0.002")
        assert desk.unchecked().status == "OK"
        world.cancel(resting(world)[0])
        assert desk.unchecked().status == "OK"
        assert narrow_run(ended=[])
        tasks.read_history()
        tasks.send_alerts()
    assert len(found) > 300
    assert walks(found) == set()
