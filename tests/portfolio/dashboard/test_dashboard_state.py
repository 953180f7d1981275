"""What `GET /api/dashboard/state` says, key by key."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from exchange.models import SyncRun
from tests.factories import (
    BalanceFactory,
    InstrumentFactory,
    LegFactory,
    OrderFactory,
    SyncRunFactory,
    TradeFactory,
)

pytestmark = pytest.mark.django_db

ORDER_KEYS = [
    "order_id", "exchange_order_id", "client_oid", "instrument_name", "side", "order_type", "order_role",
    "origin", "status", "price", "trigger_price", "quantity", "filled_quantity", "average_price", "value_usd",
    "oco_group_id", "created_at", "updated_at",
]  # fmt: skip


def state() -> Any:
    answer = Client().get("/api/dashboard/state")
    assert answer.status_code == 200
    return answer.json()


def test_it_has_every_key_of_the_contract_before_anything_was_read():
    said = state()
    assert list(said) == [
        "mode", "trading", "as_of", "sync", "summary", "portfolio", "open_orders", "executed_orders",
        "oco_groups", "unprotected", "watchlist", "signals",
    ]  # fmt: skip
    assert said["summary"] == {
        "total_usd": None,
        "cash_usd": None,
        "unrealised_pnl_usd": None,
        "change_24h_usd": None,
        "net_flows_24h_usd": None,
        "unprotected_usd": None,
        "loss_if_all_stops_hit_usd": None,
        "result_if_all_stops_hit_usd": None,
        "open_orders_count": 0,
        "open_groups_count": 0,
        "unpriced": [],
    }
    assert said["sync"] == {
        "status": "never",
        "last_success": None,
        "age_seconds": None,
        "interval_seconds": 60,
        "last_error": None,
        "stream": {"status": "off", "since": None, "last_message_at": None},
    }
    lists = (
        "portfolio",
        "open_orders",
        "executed_orders",
        "oco_groups",
        "unprotected",
        "watchlist",
        "signals",
    )
    assert all(said[name] == [] for name in lists)


def test_it_answers_with_and_without_the_slash_and_is_kept_by_no_cache():
    for address in ("/api/dashboard/state", "/api/dashboard/state/"):
        answer = Client().get(address)
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")


def test_orders_have_the_fields_of_the_contract_and_executed_ones_a_fee():
    InstrumentFactory()
    OrderFactory()
    OrderFactory(filled=True)
    said = state()
    assert list(said["open_orders"][0]) == ORDER_KEYS
    assert list(said["executed_orders"][0]) == [*ORDER_KEYS, "fee", "fee_currency"]


def test_money_is_text_in_plain_digits_and_time_ends_in_z():
    InstrumentFactory(symbol="SHIB_USD")
    OrderFactory(
        instrument_name="SHIB_USD", price=Decimal("1.2E-7"), quantity=Decimal("5E+6"), order_role="ENTRY"
    )
    (order,) = state()["open_orders"]
    assert (order["price"], order["quantity"]) == ("0.00000012", "5000000")
    assert Decimal(order["value_usd"]) == Decimal("0.6")
    assert order["created_at"].endswith("Z")


def test_the_time_is_in_utc_wherever_the_desk_stands(settings):
    settings.TIME_ZONE = "Europe/Madrid"
    OrderFactory()
    assert state()["open_orders"][0]["created_at"].endswith("Z")


def test_what_is_blank_is_null():
    OrderFactory(order_role="", client_oid="", exchange_order_id="")
    (order,) = state()["open_orders"]
    assert (order["order_role"], order["client_oid"], order["exchange_order_id"]) == (None, None, None)


def test_every_open_leg_of_both_name_spaces_is_there_once():
    OrderFactory.create_batch(60)
    OrderFactory.create_batch(60, advanced=True)
    OrderFactory(is_mirror=True)
    OrderFactory(canceled=True)
    said = state()
    assert len(said["open_orders"]) == said["summary"]["open_orders_count"] == 120


def test_an_order_that_went_missing_is_unknown_and_still_listed():
    OrderFactory(missing_since=timezone.now())
    assert [order["status"] for order in state()["open_orders"]] == ["UNKNOWN"]


def test_executed_orders_are_the_newest_fifty_with_fills():
    now = timezone.now()
    for minutes in range(60):
        OrderFactory(filled=True, updated_at=now - timedelta(minutes=minutes))
    partly = OrderFactory(canceled=True, has_fills=True, filled_quantity=Decimal("0.004"), updated_at=now)
    OrderFactory(canceled=True, updated_at=now)
    OrderFactory(filled=True, is_mirror=True, updated_at=now)
    listed = state()["executed_orders"]
    times = [order["updated_at"] for order in listed]
    assert len(listed) == 50
    assert partly.order_id in {order["order_id"] for order in listed}
    assert all(newer >= older for newer, older in pairwise(times))


def test_the_fee_is_summed_over_the_trades_of_both_ids():
    OrderFactory(filled=True, order_id="61", exchange_order_id="57", advanced=True)
    TradeFactory(side="SELL", order_id="61", quantity=Decimal("0.004"), fee=Decimal("-0.60"))
    TradeFactory(side="SELL", order_id="57", quantity=Decimal("0.006"), fee=Decimal("-0.90"))
    (order,) = state()["executed_orders"]
    assert (order["fee"], order["fee_currency"]) == ("1.50", "USD")


def test_a_rebate_is_a_negative_fee():
    order = OrderFactory(filled=True)
    TradeFactory(order_id=order.order_id, fee=Decimal("0.20"))
    assert state()["executed_orders"][0]["fee"] == "-0.20"


def test_a_fee_in_two_currencies_has_no_one_number():
    order = OrderFactory(filled=True)
    TradeFactory(order_id=order.order_id, quantity=Decimal("0.005"))
    TradeFactory(order_id=order.order_id, quantity=Decimal("0.005"), fee_currency="CRO")
    (row,) = state()["executed_orders"]
    assert (row["fee"], row["fee_currency"]) == (None, None)


def test_a_fee_is_not_known_while_trades_are_missing():
    order = OrderFactory(filled=True)
    TradeFactory(order_id=order.order_id, quantity=Decimal("0.004"))
    assert state()["executed_orders"][0]["fee"] is None


def test_an_order_in_another_currency_is_valued_by_what_that_is_worth():
    InstrumentFactory(symbol="ETH_BTC")
    OrderFactory(instrument_name="ETH_BTC", price=Decimal("0.05"), quantity=Decimal("2"))
    assert state()["open_orders"][0]["value_usd"] is None
    BalanceFactory(price_usd=Decimal("60000"))
    assert Decimal(state()["open_orders"][0]["value_usd"]) == 6000


def test_a_stop_without_a_limit_is_valued_at_its_trigger():
    InstrumentFactory()
    OrderFactory(advanced=True, order_type="STOP_LOSS", price=None)
    assert Decimal(state()["open_orders"][0]["value_usd"]) == 550


def test_the_total_counts_what_has_a_price_and_names_the_rest():
    BalanceFactory()
    BalanceFactory(currency="USD", quantity=Decimal("2000"), price_usd=Decimal(1))
    BalanceFactory(currency="XYZ", price_usd=None)
    said = state()
    assert Decimal(said["summary"]["total_usd"]) == 8000
    assert Decimal(said["summary"]["cash_usd"]) == 2000
    assert said["summary"]["unpriced"] == ["XYZ"]
    shares = [(row["currency"], row["allocation_pct"]) for row in said["portfolio"]]
    assert shares == [("BTC", "75.00"), ("USD", "25.00"), ("XYZ", None)]


def test_there_is_no_total_when_nothing_that_is_held_has_a_price():
    BalanceFactory(price_usd=None)
    assert state()["summary"]["total_usd"] is None


def test_an_account_that_was_read_and_is_empty_is_worth_nothing():
    SyncRunFactory()
    assert state()["summary"]["total_usd"] == "0.00"


def test_what_was_sold_is_no_longer_in_the_portfolio():
    BalanceFactory(quantity=Decimal("0.00"), price_usd=None, market_value_usd=Decimal(0))
    assert state()["portfolio"] == []


@pytest.mark.parametrize(
    ("age", "status"), [(90, "fresh"), (92, "late"), (180, "late"), (182, "old"), (90_000, "old")]
)
def test_the_sync_ages_in_steps_of_its_interval(age, status):
    SyncRunFactory(age=age)
    assert state()["sync"]["status"] == status


def test_a_failed_cycle_makes_fresh_data_late_and_says_why():
    SyncRunFactory(age=60)
    SyncRunFactory(failed=True)
    sync = state()["sync"]
    assert (sync["status"], sync["age_seconds"] // 10) == ("late", 6)
    assert sync["last_error"] == "The exchange cannot be reached: connection refused."


def test_a_cycle_with_a_failed_part_is_no_success():
    SyncRunFactory(status=SyncRun.Status.PARTIAL, errors=["Trades: timed out.", "Tickers: timed out."])
    sync = state()["sync"]
    assert (sync["status"], sync["last_error"]) == ("never", "Trades: timed out.; Tickers: timed out.")


def test_an_old_error_is_forgotten_after_a_success():
    SyncRunFactory(failed=True, age=60)
    SyncRunFactory()
    assert state()["sync"]["last_error"] is None


def test_a_cycle_at_work_changes_nothing():
    SyncRunFactory(age=20)
    SyncRunFactory(status=SyncRun.Status.RUNNING, started_at=timezone.now(), finished_at=None)
    sync = state()["sync"]
    assert (sync["status"], sync["last_error"]) == ("fresh", None)


@pytest.mark.parametrize(
    ("environment", "enabled", "mode"),
    [
        ("DRY_RUN", True, "DRY_RUN"),
        ("DRY_RUN", False, "DRY_RUN"),
        ("LIVE", True, "LIVE"),
        ("LIVE", False, "READ_ONLY"),
        ("SANDBOX", True, "SANDBOX"),
        ("SANDBOX", False, "READ_ONLY"),
    ],
)
def test_the_mode_follows_the_settings(settings, environment, enabled, mode):
    settings.ENVIRONMENT, settings.TRADING_ENABLED = environment, enabled
    said = state()
    assert (said["mode"], said["trading"]["enabled"]) == (mode, enabled)
    assert (said["trading"]["reason"] is None) is enabled


@pytest.mark.parametrize(
    ("orders", "outside"), [(5, 1), (500, 0)]
)  # one more while coins are outside every group
def test_it_takes_the_same_queries_however_many_orders_there_are(orders, outside):
    InstrumentFactory()
    BalanceFactory()
    SyncRunFactory()
    OrderFactory.create_batch(orders)
    OrderFactory.create_batch(orders // 5, filled=True)
    for _ in range(orders // 5):
        LegFactory()
    with CaptureQueriesContext(connection) as queries:
        said = state()
    assert (len(said["open_orders"]), len(said["oco_groups"])) == (orders, orders // 5)
    assert len(queries) == 16 + outside
