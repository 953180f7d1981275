"""Protection on the dashboard: groups, what is unprotected, the figures, and the kill switch in the mode."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import Error, InterfaceError
from django.test import Client
from django.utils import timezone

from exchange.models import TradingSwitch
from exchange.models.sync import Stream
from tests.factories import (
    BalanceFactory,
    GroupFactory,
    HistoryRangeFactory,
    InstrumentFactory,
    LegFactory,
    LotFactory,
    OrderFactory,
    SyncRunFactory,
    TradeFactory,
    TradingSwitchFactory,
    WatermarkFactory,
)
from tests.portfolio.pages import Page

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
D = Decimal


@pytest.fixture
def bitcoin():
    """A tenth of a bitcoin is held."""
    InstrumentFactory()
    SyncRunFactory()
    BalanceFactory()


def state():
    return Client().get("/api/dashboard/state").json()


def test_open_groups_are_there_and_those_of_the_last_day(bitcoin):
    now = timezone.now()
    open_one = GroupFactory(created_at=now - timedelta(days=9))
    young = GroupFactory(closed=True, closed_at=now - timedelta(hours=23))
    GroupFactory(closed=True, closed_at=now - timedelta(hours=25))
    said = state()
    assert {row["oco_group_id"] for row in said["oco_groups"]} == {str(open_one.pk), str(young.pk)}
    assert said["summary"]["open_groups_count"] == 1


def test_what_has_a_stop_and_what_has_none(bitcoin):
    LegFactory()
    said = state()
    (coin,) = said["portfolio"]
    assert (coin["protected_quantity"], coin["unprotected_quantity"]) == ("0.01000", "0.09000000")
    (row,) = said["unprotected"]
    assert list(row) == [
        *("instrument_name", "quantity", "market_value_usd", "since"),
        *("reason", "reason_code", "reason_params", "exchange_code"),
    ]
    assert (row["instrument_name"], D(row["quantity"]), D(row["market_value_usd"])) == (
        "BTC_USD",
        D("0.09"),
        5400,
    )
    assert said["summary"]["unprotected_usd"] == "5400.00"


def test_a_group_that_is_not_active_is_unprotected_since_then(bitcoin):
    since = timezone.now() - timedelta(minutes=2)
    GroupFactory(state="STOP_FAILED", reason="Refused.", uncovered_since=since, lot__bought=D("0.1"))
    (row,) = state()["unprotected"]
    assert (row["reason"], D(row["quantity"])) == ("Refused.", D("0.1"))
    assert row["since"].endswith("Z")


def test_the_stop_of_another_program_counts(bitcoin):
    OrderFactory(advanced=True, order_type="STOP_LOSS", quantity=D("0.1"))
    said = state()
    assert (said["unprotected"], D(said["portfolio"][0]["protected_quantity"])) == ([], D("0.1"))


def test_cash_needs_no_stop():
    SyncRunFactory()
    BalanceFactory(currency="USD", quantity=D("500"), price_usd=D(1))
    said = state()
    (coin,) = said["portfolio"]
    assert (said["unprotected"], said["summary"]["unprotected_usd"]) == ([], "0.00")
    assert (coin["protected_quantity"], coin["unprotected_quantity"]) == ("0", "0")


def reasons():
    return [row["reason_code"] for row in state()["unprotected"]]


def test_held_before_is_said_only_when_every_execution_was_read_and_decided(bitcoin):
    WatermarkFactory(since_ns=1_000)
    HistoryRangeFactory(stream=Stream.TRADES, start_ns=10, end_ns=900)
    TradeFactory(is_new=True, instrument_name="NEW_USD", create_time_ns=2_000)
    TradeFactory(is_new=True, create_time_ns=900)
    assert reasons() == ["HELD_BEFORE_START"]
    TradeFactory(is_new=True, create_time_ns=2_000)
    assert reasons() == ["ORIGIN_UNKNOWN"]


def test_after_an_absence_it_is_not_said_until_the_gap_is_read(bitcoin):
    WatermarkFactory(since_ns=1_000)
    HistoryRangeFactory(stream=Stream.TRADES, start_ns=1_500, end_ns=2_000)
    assert reasons() == ["ORIGIN_UNKNOWN"]


def test_what_has_no_price_is_listed_without_a_value():
    SyncRunFactory()
    BalanceFactory(currency="XYZ", price_usd=None)
    said = state()
    assert [row["market_value_usd"] for row in said["unprotected"]] == [None]
    assert said["summary"]["unprotected_usd"] is None


def both(said):
    return (said["summary"]["loss_if_all_stops_hit_usd"], said["summary"]["result_if_all_stops_hit_usd"])


def test_the_loss_counts_from_the_price_now_and_the_result_against_cost(bitcoin):
    GroupFactory()
    GroupFactory(entry_price=D("61000.00"))
    GroupFactory(state="PENDING")
    assert both(state()) == ("60.00", "-70.00")


def test_without_a_known_cost_there_is_no_result(bitcoin):
    GroupFactory(entry_price=None, stop_price=D("59000.00"))
    assert both(state()) == ("10.00", None)


def test_a_stop_that_was_moved_on_the_exchange_counts_where_it_rests(bitcoin):
    group = GroupFactory()
    LegFactory(group=group, status="OPEN", trigger_price=D("1200.00"))
    said = state()
    assert both(said) == ("588.00", "-588.00")
    assert [row["stop_price"] for row in said["oco_groups"]] == ["1200.00"]


def test_the_stop_of_another_program_loses_from_the_price_now(bitcoin):
    """For no more than is held beside our own stops, and once for both legs of a list."""
    GroupFactory(lot__bought=D("0.04"), entry_price=D("61000.00"))
    stop = {"advanced": True, "order_type": "STOP_LOSS", "side": "SELL"}
    OrderFactory(**stop, quantity=D("0.02"), trigger_price=D(58000), list_id="7")
    OrderFactory(side="SELL", quantity=D("0.02"), price=D(70000), list_id="7")
    assert state()["summary"]["loss_if_all_stops_hit_usd"] == "160.00"  # 0.04 down to 57000, 0.02 to 58000
    OrderFactory(**stop, quantity=D(1), trigger_price=D(59000))
    assert state()["summary"]["loss_if_all_stops_hit_usd"] == "200.00"


def test_a_stop_that_cannot_be_reckoned_is_named(bitcoin):
    OrderFactory(advanced=True, order_type="STOP_LOSS", side="SELL", quantity=D("0.02"), trigger_price=None)
    assert state()["summary"]["loss_if_all_stops_hit_usd"] is None
    assert "no known price for the stop of BTC" in Client().get("/").content.decode()


def test_the_loss_in_another_currency_needs_its_price(bitcoin):
    InstrumentFactory(symbol="ETH_BTC")
    BalanceFactory(currency="ETH", quantity=D(2), price_usd=D(3000))
    GroupFactory(instrument_name="ETH_BTC", lot__bought=D(2), entry_price=D("0.05"), stop_price=D("0.04"))
    assert state()["summary"]["loss_if_all_stops_hit_usd"] == "1200.00"
    BalanceFactory._meta.model.objects.update(price_usd=None)
    assert state()["summary"]["loss_if_all_stops_hit_usd"] is None


def test_the_page_has_one_row_a_position_the_worst_first(bitcoin):
    for name, found in (("ETH", "STOP_FAILED"), ("SOL", "UNKNOWN"), ("ADA", "PENDING")):
        InstrumentFactory(symbol=f"{name}_USD")
        BalanceFactory(currency=name, quantity=D(1), price_usd=D(100))
        lot = LotFactory(instrument_name=f"{name}_USD", bought=D(1))
        LegFactory(
            group=GroupFactory(lot=lot, instrument_name=lot.instrument_name, state=found), status="SENT"
        )
    GroupFactory(lot__bought=D("0.04"))
    GroupFactory(lot__bought=D("0.03"))
    BalanceFactory(currency="DOGE", quantity=D(5), price_usd=D(1))
    InstrumentFactory(symbol="CRO_USD")
    BalanceFactory(currency="CRO", quantity=D(9), price_usd=D(1))
    GroupFactory(instrument_name="CRO_USD", lot__bought=D(9))
    html = Client().get("/").content.decode()
    rows = [(row.key, row.status) for row in Page(html).tables["protection"]]
    assert rows == [
        ("ETH", "STOP_FAILED"),
        ("SOL", "UNKNOWN"),
        ("DOGE", "UNPROTECTED"),
        ("BTC", "PARTLY"),
        ("ADA", "WAITING"),
        ("CRO", "PROTECTED"),
    ]
    for words in ("Stop failed", "Unknown, check", "Unprotected", "Partial", "Pending", "Protected"):
        assert f">{words}</span>" in html
    assert Page(html).inline == []


def test_what_is_in_a_group_is_not_asked_for_again(bitcoin, alice):
    GroupFactory(state="STOP_FAILED", lot__bought=D("0.1"))
    assert "/protect/" not in alice.get("/").content.decode()


def test_whoever_runs_the_desk_is_led_to_the_form(bitcoin, alice):
    assert 'href="/protection/protect/BTC_USD/"' in alice.get("/").content.decode()


@pytest.mark.parametrize(
    ("environment", "mode"), [("DRY_RUN", "DRY_RUN"), ("LIVE", "READ_ONLY"), ("SANDBOX", "READ_ONLY")]
)
def test_the_kill_switch_is_told_in_every_mode(settings, environment, mode):
    settings.ENVIRONMENT = environment
    TradingSwitchFactory()
    said = state()
    reason = "Kill switch turned on by alice."
    assert (said["mode"], said["trading"]["enabled"], said["trading"]["reason"]) == (mode, False, reason)
    assert reason.rstrip(".") in Client().get("/login/").content.decode()
    assert Client().get("/health").json()["mode"] == mode


def test_a_switch_that_is_turned_back_changes_nothing(settings):
    settings.ENVIRONMENT = "LIVE"
    TradingSwitchFactory(is_off=False)
    said = state()
    assert (said["mode"], said["trading"]["enabled"], said["trading"]["reason"]) == ("LIVE", True, None)


@pytest.mark.parametrize("error", [Error, InterfaceError])
def test_a_switch_that_cannot_be_read_counts_as_on(settings, monkeypatch, error):
    def broken():
        raise error("gone")

    settings.ENVIRONMENT = "LIVE"
    monkeypatch.setattr(TradingSwitch.objects, "first", broken)
    said = state()
    assert (said["mode"], said["trading"]["enabled"]) == ("READ_ONLY", False)
    assert "could not be read" in said["trading"]["reason"]
