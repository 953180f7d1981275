"""The page of one group."""

import gzip
import json
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone

from exchange.models import Candle
from oco.models import OcoGroup
from oco.presentation.group_detail import group_detail
from portfolio.models import Balance
from portfolio.web.live import revision
from tests.factories import (
    EventFactory,
    GroupFactory,
    LegFactory,
    LotTradeFactory,
    OrderFactory,
    SyncRunFactory,
    TradeFactory,
    TradingSwitchFactory,
)
from tests.portfolio.pages import Page
from tests.portfolio.views.protection.steps import text
from tests.support import queries

pytestmark = pytest.mark.usefixtures("bitcoin")
D = Decimal


def pair(group, **changes):
    LegFactory(group=group, **changes)
    target = {"order_role": "TAKE_PROFIT", "type": "LIMIT", "price": D(66000), "trigger_price": None}
    LegFactory(group=group, **{**target, **changes})
    return group


def page(group, client=None, **query):
    return (client or Client()).get(f"/protection/{group.pk}/", query)


def candles(count=3, timeframe="1h"):
    """Hourly bars up to the one that runs now."""
    now = timezone.now()
    for ago in range(count):
        Candle.objects.create(
            instrument_name="BTC_USD",
            timeframe=timeframe,
            opened_at=now - timedelta(hours=ago),
            open=D(59000),
            high=D(61000),
            low=D(58000),
            close=D(60000),
            volume=D(1),
            is_closed=ago > 0,
            read_at=now,
        )


def drawn(answer):
    found = re.search(
        r'<script id="price-data" type="application/json">(.*?)</script>', answer.content.decode()
    )
    return json.loads(found[1])


def test_it_says_seven_figures(alice):
    Balance.objects.filter(currency="BTC").update(price_usd=D(63000))
    words = text(page(pair(GroupFactory())))
    for part in (
        "BTC/USD Protected",
        "Position 0.01000 BTC $630.00, valued at 63,000.00",
        "Unrealised +$30.00 +5.00% from 60,000.00",
        "Result at the stop −$30.00 57,000.00, −9.52% away",
        "Max loss from here −$60.00 from the current price to the stop",
        "Result at the take profit +$60.00 66,000.00, +4.76% away",
        "Reward/risk 0.50",
        "automatically",
    ):
        assert part in words


def test_a_failed_stop_is_the_first_thing_said_and_leads_to_its_mending(alice):
    group = GroupFactory(state="STOP_FAILED", reason="The exchange refused it (306).")
    LegFactory(group=group, order_role="TAKE_PROFIT", type="LIMIT", price=D(66000), trigger_price=None)
    LegFactory(group=group, status="REJECTED", end_code=306, order_id="")
    answer = page(group)
    words = text(answer)
    for part in (
        "If BTC falls, no stop will sell it The exchange refused it (306). Exchange code 306: ",
        "Retried in every cycle",
        "The take-profit order reserves 0.01000 BTC and is still active.",
        "Result at the stop No stop −$30.00 once placed",
        "Rejected Exchange code 306",
        "Stop missing",
    ):
        assert part in words
    assert answer.content.decode().count(f'href="/protection/{group.pk}/fix/"') == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "No orders sent yet"),
        ({"cancel_requested_at": timezone.now()}, "Its removal was requested before any was placed."),
        ({"state": "RELEASED", "closed_at": timezone.now()}, "The protection ended before any was placed."),
    ],
)
def test_orders_that_were_never_sent(alice, changes, said):
    words = text(page(GroupFactory(**{"state": "PENDING", **changes})))
    assert said in words
    assert ("in its next cycle" in words) is ("once placed" in words) is (not changes)


def test_without_an_entry_the_result_is_not_invented(alice):
    group = pair(GroupFactory(entry_price=None, lot__average_price=None, requested_by="alice"))
    words = text(page(group))
    assert "Unrealised n/a cost not known" in words
    assert "Result at the stop n/a" in words
    assert "Max loss from here −$30.00" in words
    assert "by alice" in words


def test_coins_behind_the_stop_of_another_program_are_covered(alice):
    group = pair(GroupFactory(lot__bought=D("0.02"), quantity=D("0.01")))
    assert "0.01 BTC of this position have no stop" in text(page(group))
    OrderFactory(advanced=True, quantity=D("0.01"))
    assert "have no stop" not in text(page(group))


def test_a_group_that_has_ended_says_what_it_brought(alice):
    group = GroupFactory(closed=True, reason="The target sold the lot.")
    leg = LegFactory(group=group, order_role="TAKE_PROFIT", status="FILLED")
    TradeFactory(order_id=leg.order_id, side="SELL", price=D(66000))
    bought = TradeFactory(order_id=group.entry_order_id)
    LotTradeFactory(lot=group.lot, trade_id=bought.trade_id)
    words = text(page(group))
    for part in (
        "Take profit hit",
        "Result +$60.00 from the entry, before fees",
        "The target sold the lot.",
        "Closed",
    ):
        assert part in words
    assert "Remove protection" not in words


def test_its_journal_tells_when_why_and_the_code(alice):
    group = pair(GroupFactory())
    EventFactory(group=group, old="", new="PENDING", reason="Asked for by alice.", order_ids=[])
    EventFactory(group=group, old="PENDING", new="PENDING", reason="Refused.", code=315, order_ids=[])
    EventFactory(group=group)
    words = text(page(group))
    newest = words.index(
        "Stop and take profit confirmed open on the exchange. Pending → Protected Orders 61 62"
    )
    refused = words.index("Refused. Exchange code 315: limit price too far from the market")
    assert words.count("Exchange code 315") == 1
    assert newest < refused < words.index("Asked for by alice.")


def test_its_orders_are_told_with_both_names(alice):
    group = pair(GroupFactory())
    LegFactory(group=group, generation=0, status="CANCELED")
    stop = group.legs.get(generation=1, order_role="STOP_LOSS")
    words = text(page(group))
    for part in (
        stop.order_id,
        stop.client_oid,
        "Sell at market when the mark price falls to the trigger price",
        "1 earlier order",
    ):
        assert part in words


def test_the_chart_is_data_and_a_table(alice):
    candles()
    group = pair(GroupFactory())
    bought = TradeFactory(traded_at=timezone.now() - timedelta(minutes=30))
    LotTradeFactory(lot=group.lot, trade_id=bought.trade_id)
    answer = page(group)
    data = drawn(answer)
    last = int(timezone.now().timestamp())
    assert data["bars"][-1] == [last, "59000", "61000", "58000", "60000"]
    assert data["marks"] == [{"time": last - 3600, "side": "BUY", "text": "Bought 0.01000"}]
    levels = [(one["kind"], one["price"], one["placed"]) for one in data["levels"]]
    assert levels == [("target", "66000", True), ("entry", "60000.00", True), ("stop", "57000.00", True)]
    assert "between 58,000.00 and 61,000.00, last price 60,000.00" in text(answer)
    assert answer.content.decode().count('<tbody><tr><th scope="row">') == 2


def test_a_level_that_does_not_rest_is_called_so(alice):
    candles()
    words = text(page(GroupFactory(state="STOP_FAILED")))
    assert "Stop not placed 57,000.00" in words
    assert "Take profit not placed 66,000.00" in words


@pytest.mark.parametrize(("asked", "shown"), [("4h", "4h"), ("1D", "1D"), ("7m", "1h"), (None, "1h")])
def test_the_size_of_the_candles_is_a_link(alice, asked, shown):
    answer = page(GroupFactory(), **({"chart": asked} if asked else {}))
    assert f'href="?chart={shown}#h-chart" aria-current="true"' in answer.content.decode()
    assert f"No {shown} candles are stored for BTC/USD" in text(answer)


def test_a_script_is_loaded_only_with_something_to_draw(alice):
    group = GroupFactory()
    assert "lightweight-charts" not in page(group).content.decode()
    candles()
    assert page(group).content.decode().count("<script src=") == 4


def test_the_chart_weighs_no_more_than_it_may():
    files = ("vendor/lightweight-charts/lightweight-charts-5.2.1.js", "desk/chart.js")
    sizes = [len(gzip.compress(Path(finders.find(name)).read_bytes(), 6)) for name in files]
    assert sum(sizes) <= 65 * 1024
    assert sizes[1] <= 2 * 1024


def test_nothing_in_it_breaks_the_strict_policy(alice):
    candles()
    found = Page(page(pair(GroupFactory()), alice).content.decode())
    assert (found.inline, found.external) == (
        [],
        ["https://crypto.com/exchange/trade/BTC_USD", "https://www.tradingview.com/"],
    )


def test_who_may_not_read_is_asked_to_log_in(settings, bitcoin):
    settings.DASHBOARD_PUBLIC = "false"
    group = GroupFactory()
    for step in ("", "sent/"):
        assert Client().get(f"/protection/{group.pk}/{step}")["Location"].startswith("/login/")


def test_an_unknown_group_is_not_found(alice):
    assert alice.get("/protection/0b8f0a52-6a3d-4f0e-9c55-0d4c8f3b0000/").status_code == 404


def test_the_result_follows_the_worker(alice):
    group = GroupFactory(state="PENDING")
    sent = f"/protection/{group.pk}/sent/"
    assert "Sent to the worker" in text(alice.get(sent))
    pair(group)
    OcoGroup.objects.update(state="ACTIVE")
    assert "The position is protected." in text(alice.get(sent))


def test_the_result_calls_nothing_protected_that_is_not(alice):
    """A stop for a part of it, and a stop without the target that was asked for."""
    part = text(alice.get(f"/protection/{pair(GroupFactory(quantity=D('0.004'))).pk}/sent/"))
    alone = GroupFactory(reason="The stop was read back open. It stands alone.")
    LegFactory(group=alone)
    stop = text(alice.get(f"/protection/{alone.pk}/sent/"))
    assert "0.00600 BTC of this position have no stop" in part
    assert "Stop only: no take profit is open" in stop
    alone.take_profit_price = None
    alone.save()
    assert "The stop was read back open. It stands alone." in text(alice.get(f"/protection/{alone.pk}/sent/"))
    assert "Both orders are confirmed open" not in part + stop


def test_a_target_that_was_moved_is_shown_where_it_rests(alice):
    group = pair(GroupFactory(take_profit_price=D("59000.00")))
    for address in (f"/protection/{group.pk}/", f"/protection/{group.pk}/sent/", "/protection/", "/"):
        words = text(alice.get(address))
        assert ("66,000.00" in words, "59,000.00" in words) == (True, False), address
    assert "Result at the take profit +$60.00" in text(page(group))
    assert "take profit 66,000.00" in text(alice.get(f"/protection/{group.pk}/cancel/"))


def test_a_stop_and_a_target_that_are_gone_are_prices_and_called_so(alice):
    words = text(page(GroupFactory(closed=True)))
    assert "Stop was at 57,000.00" in words
    assert "Take profit was at 66,000.00" in words
    assert "Result at the stop" not in words + text(page(GroupFactory(closed=True, take_profit_price=None)))


def test_it_links_to_the_market_on_the_exchange(alice):
    assert 'href="https://crypto.com/exchange/trade/BTC_USD"' in page(GroupFactory()).content.decode()


def test_its_queries_do_not_grow_with_its_rows(alice):
    TradingSwitchFactory(is_off=False)
    candles()
    group = pair(GroupFactory())
    page(group)
    EventFactory(group=group)
    with queries() as few:
        page(group)
    for generation in range(2, 12):
        pair(group, generation=generation)
        EventFactory.create_batch(3, group=group)
    bought = TradeFactory.create_batch(10)
    for trade in bought:
        LotTradeFactory(lot=group.lot, trade_id=trade.trade_id)
    candles(3, "4h")
    with queries() as many:
        page(group)
    assert len(many) == len(few) <= 26


@pytest.mark.parametrize("step", ["", "sent/"])
def test_what_changes_while_the_page_is_made_is_asked_for_once_more(monkeypatch, step):
    """A cycle ends after the group was read: the page must not take itself for what that cycle found."""
    group = GroupFactory()

    def read(**asked):
        found = group_detail(**asked)
        SyncRunFactory()
        return found

    monkeypatch.setattr("portfolio.views.protection.group.group_detail", read)
    html = Client().get(f"/protection/{group.pk}/{step}").content.decode()
    assert f'data-revision="{revision()}"' not in html
