"""The page and the API show the same, number for number."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portfolio.views.dashboard import ORDERS_SHOWN
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

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


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


def values_of(html: str, label: str) -> list[str]:
    """The exact numbers under one label of the figures on top."""
    return Page(html.split(f"<dt>{label}</dt>")[1].split("</div>")[0]).figures


def shown(rows: list[Row]) -> list[tuple[str, str, list[str]]]:
    return [(row.key, row.status, row.values) for row in rows]


def test_the_same_open_orders(both):
    page, api = both
    fields = ("trigger_price", "price", "quantity", "filled_quantity", "value_usd")
    assert len(api["open_orders"]) == 3
    assert shown(page.tables["open-orders"]) == [
        (row["order_id"], row["status"], exact(row, *fields)) for row in api["open_orders"]
    ]


def test_the_page_shows_the_newest_orders_and_the_api_all():
    InstrumentFactory()
    SyncRunFactory()
    OrderFactory.create_batch(ORDERS_SHOWN + 4)
    client = Client()
    html, api = client.get("/").content.decode(), client.get("/api/dashboard/state").json()
    assert len(api["open_orders"]) == ORDERS_SHOWN + 4
    assert f"{ORDERS_SHOWN + 4}, showing {ORDERS_SHOWN}" in html
    rows = Page(html).tables["open-orders"]
    assert [row.key for row in rows] == [row["order_id"] for row in api["open_orders"][:ORDERS_SHOWN]]


def test_the_same_executed_orders(both):
    page, api = both
    fields = ("average_price", "filled_quantity", "value_usd", "fee")
    assert len(api["executed_orders"]) == 2
    assert shown(page.tables["executed-orders"]) == [
        (row["order_id"], row["status"], exact(row, *fields)) for row in api["executed_orders"]
    ]


def test_the_same_figures(both):
    html, api = both[0].html, both[1]["summary"]
    cash = sum(Decimal(one) for one in values_of(html, "Cash available"))
    assert values_of(html, "Portfolio value") == [api["total_usd"]]
    assert cash == Decimal(api["cash_usd"])
    assert values_of(html, "Max loss if every stop hits") == [
        api["loss_if_all_stops_hit_usd"],
        api["unprotected_usd"],
    ]


def test_the_same_protection(both):
    page, api = both
    held = {row["currency"]: row for row in api["portfolio"]}
    at_work = [group for group in api["oco_groups"] if group["closed_at"] is None]
    assert (len(at_work), len(api["oco_groups"]), len(api["unprotected"])) == (2, 3, 2)
    assert [row.key for row in page.tables["protection"]] == ["BTC", "XYZ"]
    for row in page.tables["protection"]:
        of = exact(held[row.key], "quantity", "market_value_usd")
        assert row.values[: len(of)] == of
        for group in (one for one in at_work if one["instrument_name"] == f"{row.key}_USD"):
            is_failed = group["state"] == "STOP_FAILED"  # its ladder says that the stop is missing
            names = ["take_profit_price"] if is_failed else ["stop_price", "take_profit_price"]
            assert set(exact(group, *names)) <= set(row.values)


def test_the_same_words_for_a_position(both):
    page, _ = both
    assert [row.status for row in page.tables["protection"]] == ["STOP_FAILED", "UNPROTECTED"]
