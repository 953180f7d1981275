"""Orders, trades and balances to read over HTTP."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import BalanceFactory, InstrumentFactory, OrderFactory, TradeFactory

pytestmark = pytest.mark.django_db

GROUP = uuid4()


def get(address: str, **query: Any) -> Any:
    return Client().get(address, query).json()


def ids(**query: Any) -> list[str]:
    return [row["order_id"] for row in get("/api/orders/", **query)["results"]]


def test_a_row_is_that_of_the_dashboard_with_our_id():
    InstrumentFactory()
    order = OrderFactory(filled=True)
    TradeFactory(order_id=order.order_id)
    (row,) = get("/api/orders/")["results"]
    (shown,) = get("/api/dashboard/state")["executed_orders"]
    assert row == {**shown, "id": order.pk}
    assert get(f"/api/orders/{order.pk}/") == row


def test_an_order_that_is_not_there_is_a_404_in_json():
    answer = Client().get("/api/orders/1/")
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])


def test_the_last_changed_order_comes_first_and_mirrors_do_not_come():
    now = timezone.now()
    older = OrderFactory(updated_at=now - timedelta(hours=2))
    newer = OrderFactory(updated_at=now - timedelta(hours=1))
    OrderFactory(is_mirror=True)
    assert ids() == [newer.order_id, older.order_id]
    assert ids(ordering="updated_at") == [older.order_id, newer.order_id]


@pytest.mark.parametrize(
    ("name", "value", "other"),
    [
        ("status", "FILLED", "ACTIVE"),
        ("side", "SELL", "BUY"),
        ("instrument_name", "ETH_USD", "BTC_USD"),
        ("order_role", "STOP_LOSS", "ENTRY"),
        ("origin", "OURS", "FOREIGN"),
        ("oco_group_id", GROUP, None),
    ],
)
def test_a_filter_keeps_what_was_asked_for(name, value, other):
    wanted = OrderFactory(**{name: value})
    OrderFactory(**{name: other})
    assert ids(**{name: str(value)}) == [wanted.order_id]


def test_a_missing_order_is_unknown_and_not_what_it_was():
    missing = OrderFactory(missing_since=timezone.now())
    working = OrderFactory()
    assert ids(status="UNKNOWN") == [missing.order_id]
    assert ids(status="ACTIVE") == [working.order_id]


def test_a_span_of_time_has_its_start_and_not_its_end():
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    at_noon = OrderFactory(created_at=noon)
    OrderFactory(created_at=noon + timedelta(hours=1))
    OrderFactory(created_at=noon - timedelta(hours=1))
    assert ids(created_after="2026-11-22T12:00:00Z", created_before="2026-11-22T13:00:00Z") == [
        at_noon.order_id
    ]


def test_a_time_without_an_offset_is_utc(settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    at_noon = OrderFactory(created_at=datetime(2026, 11, 22, 12, tzinfo=UTC))
    assert ids(created_after="2026-11-22T12:00:00", created_before="2026-11-22T12:00:01") == [
        at_noon.order_id
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "nonsense"),
        ("side", "buy"),
        ("order_role", "STOP"),
        ("origin", "MINE"),
        ("oco_group_id", "7"),
        ("created_after", "yesterday"),
        ("created_before", "22.11.2026"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named(name, value):
    answer = Client().get("/api/orders/", {name: value})
    assert answer.status_code == 400
    assert list(answer.json()) == [name]


def test_pages_follow_each_other_without_a_gap():
    orders = {OrderFactory(updated_at=datetime(2026, 11, 22, tzinfo=UTC)).order_id for _ in range(7)}
    page = get("/api/orders/", page_size=3)
    seen = [row["order_id"] for row in page["results"]]
    while page["next"]:
        page = Client().get(page["next"]).json()
        seen += [row["order_id"] for row in page["results"]]
    assert len(seen) == 7
    assert set(seen) == orders


@pytest.mark.parametrize("orders", [5, 50])
def test_a_page_takes_the_same_queries_however_full_it_is(orders):
    OrderFactory.create_batch(orders)
    with CaptureQueriesContext(connection) as queries:
        assert len(ids()) == orders
    assert len(queries) == 4


def test_trades_are_listed_newest_first_with_the_fee_as_paid():
    now = timezone.now()
    TradeFactory(traded_at=now - timedelta(hours=1), instrument_name="ETH_USD")
    newest = TradeFactory(traded_at=now, fee=Decimal("-1E-7"))
    rows = get("/api/trades/")["results"]
    assert rows[0]["trade_id"] == newest.trade_id
    assert rows[0]["fee"] == "0.0000001"
    assert rows[0]["traded_at"].endswith("Z")
    assert len(get("/api/trades/", instrument_name="ETH_USD")["results"]) == 1
    assert len(get("/api/trades/", order_id=newest.order_id)["results"]) == 1


def test_balances_are_listed_by_currency():
    BalanceFactory(currency="ETH")
    BalanceFactory(currency="BTC", price_usd=None)
    rows = get("/api/balances/")["results"]
    assert [row["currency"] for row in rows] == ["BTC", "ETH"]
    assert (rows[0]["price_usd"], rows[1]["quantity"]) == (None, "0.10000000")


@pytest.mark.parametrize(
    "query",
    [
        *("/api/orders/?oco_group_id=", "/api/orders/?status=", "/api/orders/?instrument_name="),
        *("/api/orders/?created_after=", "/api/orders/?cursor=", "/api/orders/?page_size="),
        *("/api/orders/?ordering=", "/api/trades/?order_id=", "/api/oco-groups/?state="),
        *("/api/signals/?action=", "/api/portfolio/history/?to=", "/api/portfolio/history/?range="),
    ],
)
def test_a_parameter_without_a_value_is_refused_by_name(query):
    answer = Client().get(query)
    assert (answer.status_code, list(answer.json())) == (400, [query.partition("?")[2][:-1]])
