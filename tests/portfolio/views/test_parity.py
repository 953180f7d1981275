"""Holdings and results are the same on the page of the portfolio, on the dashboard and in the API."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from tests.factories import (
    BalanceFactory,
    CostFactory,
    OrderFactory,
    SaleFactory,
    SnapshotFactory,
    SyncRunFactory,
    TradeFactory,
)
from tests.portfolio.pages import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(client, settings):
    """An account that gained, with a coin that cannot be reckoned."""
    settings.DASHBOARD_PUBLIC = "true"
    SyncRunFactory()
    CostFactory()
    BalanceFactory(available=D("0.09"), reserved=D("0.01"))
    BalanceFactory(currency="XYZ", price_usd=None)
    BalanceFactory(currency="USD", quantity=D("1000.50"), price_usd=D(1))
    SnapshotFactory(at=timezone.now() - timedelta(days=1), total_usd=D("7500.00"), unpriced=["XYZ"])
    return client.get("/api/dashboard/state").json()


def test_what_the_account_gained(api):
    told = api["summary"]
    assert (told["unrealised_pnl_usd"], told["change_24h_usd"]) == ("1000.00", "-499.50")
    assert told["unpriced"] == ["XYZ"]


@pytest.mark.parametrize("page", ["/", "/portfolio/"])
def test_the_same_results_on_top_of_a_page(client, api, page):
    html = client.get(page).content.decode()
    figures = Page(html.split('class="kpis"')[1].split("</dl>")[0]).figures
    assert api["summary"]["total_usd"] in figures
    assert api["summary"]["unrealised_pnl_usd"] in figures


def test_the_same_change(client, api):
    html = client.get("/portfolio/").content.decode()
    figures = Page(html.split('class="kpis"')[1].split("</dl>")[0]).figures
    assert figures[1:3] == [api["summary"]["change_24h_usd"], "-6.66"]


def test_the_same_holdings(client, api):
    rows = Page(client.get("/portfolio/").content.decode()).tables["holdings"]
    assert [row.key for row in rows] == [row["currency"] for row in api["portfolio"]]
    names = ("price_usd", "quantity", "market_value_usd", "allocation_pct")
    for shown, told in zip(rows, api["portfolio"], strict=True):
        assert {told[name] for name in names if told[name] is not None} <= set(shown.values)
        if told["reserved"] != "0":
            assert {told["available"], told["reserved"]} <= set(shown.values)
        if told["currency"] != "USD":
            assert {told["protected_quantity"], told["unprotected_quantity"]} <= set(shown.values)


def test_the_same_result_of_a_sale_wherever_it_is_shown(client, api):
    order = OrderFactory(filled=True, side="SELL")
    SaleFactory(trade=TradeFactory(order_id=order.order_id, side="SELL"), realised_usd=D("-12.345"))
    for page in ("/", "/orders/", f"/orders/{order.pk}/", "/history/"):
        assert '<data value="-12.345">' in client.get(page).content.decode(), page
