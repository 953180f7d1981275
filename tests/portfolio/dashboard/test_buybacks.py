"""What was sold and is bought back: a section of its own, none where there is nothing of the kind."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from portfolio.dashboard.selectors import load_dashboard
from portfolio.views.dashboard import buyback_lines
from tests.factories import (
    BalanceFactory,
    EventFactory,
    GroupFactory,
    InstrumentFactory,
    LegFactory,
    OrderFactory,
    QuoteFactory,
    SyncRunFactory,
    WatchFactory,
)
from tests.portfolio.pages import Page
from tests.support import queries

pytestmark = pytest.mark.django_db

D = Decimal


@pytest.fixture(autouse=True)
def desk():
    InstrumentFactory()
    SyncRunFactory()
    QuoteFactory(price=D("58000.00"))
    BalanceFactory(currency="USD", quantity=D(4000), price_usd=D(1))


def buying(**changes):
    """A hundredth of a bitcoin was sold at 60,000; both orders rest."""
    group = GroupFactory(buys_back=True, **changes)
    stop = {"order_role": "STOP_LOSS", "type": "STOP_LIMIT", "price": D("64890.00")}
    LegFactory(group=group, side="BUY", **stop)
    target = {"order_role": "TAKE_PROFIT", "type": "LIMIT", "trigger_price": None}
    LegFactory(group=group, side="BUY", price=group.take_profit_price, **target)
    return group


def line():
    (only,) = buyback_lines(load_dashboard())
    return only


def page(address="/"):
    return Client().get(address).content.decode()


def state():
    return Client().get("/api/dashboard/state").json()


def test_without_one_the_page_is_as_ever():
    GroupFactory()
    GroupFactory(buys_back=True, closed=True)
    html = page()
    assert "Buy-backs" not in html
    assert re.search(r'data-live="buybacks=\w+"></div>', html)


def test_a_sale_that_is_bought_back_tells_what_it_wins_and_loses():
    buying()
    shown = line()
    assert (shown.row.quantity, shown.now, shown.failed, shown.css_class) == (D("0.01"), D(58000), False, "")
    assert (shown.result_usd, shown.result_at_stop, shown.result_at_target) == (D(20), D(-30), D(60))
    assert D("3.33") < shown.result_pct < D("3.34")
    html = page()
    (row,) = Page(html).tables["buybacks"]
    assert (row.key, row.status) == ("BTC_USD", "ACTIVE")
    assert "sold at" in html
    assert "Protected" not in html.split('id="buybacks"')[1].split("</section>")[0]
    assert Page(html).inline == []


def test_it_guards_no_coins():
    group = buying()
    said = state()
    assert [row["oco_group_id"] for row in said["oco_groups"]] == [str(group.pk)]
    assert said["summary"]["open_groups_count"] == 1
    assert (said["unprotected"], said["summary"]["loss_if_all_stops_hit_usd"]) == ([], "0.00")
    assert 'id="protection"' not in page()


def test_coins_that_are_held_beside_it_are_not_covered_by_it():
    BalanceFactory(quantity=D("0.01"))
    buying()
    (row,) = state()["unprotected"]
    assert (row["instrument_name"], D(row["quantity"])) == ("BTC_USD", D("0.01"))


def test_a_failed_one_is_no_unprotected_coin_and_an_alarm_on_every_page():
    group = buying(state="STOP_FAILED")
    assert state()["unprotected"] == []
    assert (line().css_class, line().failed) == ("is-crit", True)
    html = page()
    assert "Stop missing" in html
    assert f'href="/protection/{group.pk}/fix/"' not in html
    about = page("/about/")
    assert "BTC: buy-back stop failed." in about
    assert 'href="/#h-buybacks"' in about
    assert "exposed" not in about
    assert "<title>(1) " in about


def test_a_position_that_is_as_bad_is_said_first():
    BalanceFactory()
    GroupFactory(state="STOP_FAILED")
    buying(state="STOP_FAILED")
    html = page("/about/")
    assert "BTC: stop failed." in html
    assert "1 more position has no stop." in html


def test_the_worst_comes_first():
    now = timezone.now()
    for ago, found in enumerate(("ACTIVE", "REPLACING", "UNKNOWN", "STOP_FAILED")):
        group = GroupFactory(buys_back=True, state=found, created_at=now - timedelta(hours=ago))
        assert group.lot.exit_side == "BUY"
    rows = Page(page()).tables["buybacks"]
    assert [row.status for row in rows] == ["STOP_FAILED", "UNKNOWN", "UNPROTECTED", "ACTIVE"]


def test_less_than_a_step_is_no_lack_and_more_is_partly():
    buying(quantity=D("0.01"), lot__bought=D("0.010004"))
    assert (line().row.coverage_status, line().row.quantity) == ("PROTECTED", D("0.01"))
    buying(quantity=D("0.01"), lot__bought=D("0.02"))
    assert [one.row.coverage_status for one in buyback_lines(load_dashboard())] == ["PARTLY", "PROTECTED"]
    assert ">Partial</span>" in page()


def test_what_is_on_its_way_is_waited_for():
    LegFactory(group=GroupFactory(buys_back=True, state="PENDING"), status="SENT")
    (row,) = Page(page()).tables["buybacks"]
    assert (row.status, line().row.coverage_status) == ("PENDING", "WAITING")


def test_an_old_price_is_no_price_but_that_of_the_account_is():
    buying()
    QuoteFactory._meta.model.objects.update(read_at=timezone.now() - timedelta(hours=1))
    shown = line()
    assert (shown.now, shown.result_usd, shown.result_pct) == (None, None, None)
    assert page()
    BalanceFactory(quantity=D("0.00001"))
    assert line().now == D(60000)


def test_what_the_money_is_worth_may_be_unknown():
    buying(lot__quote_ccy="EUR")
    assert (line().result_usd, line().result_at_stop) == (None, None)


def test_a_pair_that_is_nowhere_else_is_read():
    InstrumentFactory(symbol="ETH_USD", price_tick_size=D("0.1"), qty_tick_size=D("0.001"))
    buying(instrument_name="ETH_USD", lot__bought=D("0.0109"))
    row = line().row
    assert (row.quantity, row.price_decimals, row.quantity_decimals) == (D("0.010"), 1, 3)


def test_it_asks_nothing_more_of_the_database():
    WatchFactory()
    OrderFactory()
    GroupFactory()
    for address in ("/", "/api/dashboard/state", "/about/"):
        SyncRunFactory()
        with queries() as before:
            page(address)
        buying()
        with queries() as after:
            page(address)
        assert len(after) == len(before), address


def test_the_orders_of_one_are_called_what_they_are():
    ours = {"origin": "OURS", "side": "BUY"}
    OrderFactory(**ours, order_type="STOP_LIMIT", order_role="STOP_LOSS")
    OrderFactory(**ours, order_role="TAKE_PROFIT")
    html = page()
    assert "Stop limit, buy-back stop" in html
    assert "Limit, buy-back take profit" in html
    listed = page("/orders/")
    assert "Stop limit, Buy-back stop" in listed
    OrderFactory(side="BUY", order_type="STOP_LIMIT", order_role="STOP_LOSS")
    assert page().count(", buy-back ") == 2


def test_the_journal_calls_it_a_buy_back():
    EventFactory(group=buying(), old="PENDING", new="ACTIVE")
    html = page("/history/")
    assert "Buy-back of BTC/USD" in html
    assert (">Active</span>" in html, ">Protected</span>" in html) == (True, False)
