"""The page and the API show the same, number for number."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import (
    BalanceFactory,
    GroupFactory,
    InstrumentFactory,
    LegFactory,
    OrderFactory,
    SyncRunFactory,
    TradeFactory,
)
from tests.portfolio.pages import Page, Row

pytestmark = pytest.mark.django_db


@pytest.fixture
def both() -> tuple[Page, Any]:
    """A desk with a bit of everything, as a page and as JSON."""
    InstrumentFactory()
    SyncRunFactory()
    BalanceFactory(reserved=Decimal("0.01"))
    BalanceFactory(currency="XYZ", price_usd=None)
    OrderFactory(created_at=timezone.now() - timedelta(days=2))
    OrderFactory(advanced=True, missing_since=timezone.now())
    OrderFactory(filled_quantity=Decimal("0.004"), has_fills=True)
    sold = OrderFactory(filled=True, side="SELL")
    TradeFactory(order_id=sold.order_id)
    OrderFactory(canceled=True, has_fills=True, filled_quantity=Decimal("0.00100"), price=None)
    LegFactory()
    GroupFactory(state="STOP_FAILED", take_profit_price=None, reason="The exchange refused it.")
    GroupFactory(closed=True, instrument_name="ETH_USD")
    client = Client()
    return Page(client.get("/").content.decode()), client.get("/api/dashboard/state").json()


def exact(row: dict[str, Any], *names: str) -> list[str]:
    return [row[name] for name in names if row[name] is not None and row[name] != "0"]


def shown(rows: list[Row]) -> list[tuple[str, str, list[str]]]:
    return [(row.key, row.status, row.values) for row in rows]


def test_the_same_open_orders(both):
    page, api = both
    fields = ("price", "trigger_price", "quantity", "filled_quantity", "value_usd")
    assert len(api["open_orders"]) == 3
    assert shown(page.tables["open-orders"]) == [
        (row["order_id"], row["status"], exact(row, *fields)) for row in api["open_orders"]
    ]


def test_the_same_executed_orders(both):
    page, api = both
    fields = ("average_price", "filled_quantity", "value_usd", "fee")
    assert len(api["executed_orders"]) == 2
    assert shown(page.tables["executed-orders"]) == [
        (row["order_id"], row["status"], exact(row, *fields)) for row in api["executed_orders"]
    ]


def test_the_same_portfolio(both):
    page, api = both
    fields = ("price_usd", "quantity", "reserved", "market_value_usd", "allocation_pct")
    assert [(row.key, row.values) for row in page.tables["portfolio"]] == [
        (row["currency"], exact(row, *fields)) for row in api["portfolio"]
    ]


def test_the_same_figures(both):
    page, api = both
    fields = ("total_usd", "cash_usd", "unprotected_usd", "loss_if_all_stops_hit_usd")
    assert page.figures == [api["summary"][name] for name in fields]


def test_the_same_protection(both):
    page, api = both
    held = {row["currency"]: row for row in api["portfolio"]}
    at_work = [group for group in api["oco_groups"] if group["closed_at"] is None]
    assert (len(at_work), len(api["oco_groups"]), len(api["unprotected"])) == (2, 3, 3)
    assert [row.key for row in page.tables["protection"]] == ["BTC", "XYZ"]
    for row in page.tables["protection"]:
        of = [group for group in at_work if group["instrument_name"] == f"{row.key}_USD"]
        bare = [one for one in api["unprotected"] if one["instrument_name"] == f"{row.key}_USD"]
        worth = [Decimal(one["market_value_usd"]) for one in bare if one["market_value_usd"]]
        assert row.values == [
            held[row.key]["protected_quantity"],
            held[row.key]["unprotected_quantity"],
            *([str(sum(worth))] if worth else []),
            *(group["stop_price"] for group in of),
            *(group["take_profit_price"] for group in of if group["take_profit_price"]),
        ]


def test_the_same_words_for_a_position(both):
    page, _ = both
    assert [row.status for row in page.tables["protection"]] == ["STOP_FAILED", "UNPROTECTED"]
