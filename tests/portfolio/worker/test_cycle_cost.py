"""A quiet cycle costs the same on an old account and on a busy one: as many requests, as many queries."""

import pytest

from exchange.models import ExchangeOrder, Trade
from oco.models import LotTrade
from tests.benchmarks.market import add_open_orders, market
from tests.benchmarks.seed import old_account
from tests.share import SOAK
from tests.support import queries, write_statements

FEW, MANY, OLD = 10, 300, 20_000 if SOAK else 4_000
pytestmark = pytest.mark.any_database  # SQLite takes the fewest values in a statement


@pytest.fixture
def world(world):
    world.exchange = market(now_ms=world.now_ms)
    world.app.exchange = world.exchange
    return world


def sync_ok(desk):
    """Requests, queries and writes of a cycle that finds nothing new."""
    desk.sync_ok()
    with queries() as statements:
        run = desk.sync_ok()
    return run.requests, len(statements), len(write_statements(statements))


@pytest.mark.parametrize("stored", [0, OLD])
def test_a_cycle_costs_the_same_with_few_and_with_many_open_orders(desk, world, stored):
    if stored:
        old_account(stored)
    add_open_orders(world.exchange, FEW)
    few = sync_ok(desk)
    add_open_orders(world.exchange, MANY - FEW)
    many = sync_ok(desk)
    assert ExchangeOrder.objects.filter(is_open=True).count() == MANY
    assert many == few


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_cycle_costs_the_same_on_a_young_and_on_an_old_account(desk, world, count):
    add_open_orders(world.exchange, count)
    young = sync_ok(desk)
    old_account(OLD)
    assert sync_ok(desk) == young
    assert ExchangeOrder.objects.count() == OLD + count


@pytest.mark.parametrize("page", ["/", "/api/dashboard/state", "/api/orders/?status=ACTIVE", "/api/trades/"])
def test_a_page_costs_the_same_on_a_young_and_on_an_old_account(desk, world, client, settings, page):
    settings.DASHBOARD_PUBLIC = "true"
    add_open_orders(world.exchange, FEW)
    old_account(100)
    desk.sync_ok()
    with queries() as young:
        assert client.get(page).status_code == 200
    for model in (ExchangeOrder.objects.filter(is_open=False), Trade.objects, LotTrade.objects):
        model.all().delete()
    old_account(OLD)
    with queries() as old:
        assert client.get(page).status_code == 200
    assert len(old) == len(young) > 0
