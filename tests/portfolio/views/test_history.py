"""What happened: one list of three, the newest first, with nothing left out between its pages."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from io import StringIO

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.models import SyncRun, Trade
from oco.models import OcoEvent
from portfolio.views.history import activity_items, activity_page
from portfolio.views.lists import UTF8_BOM, ActivityFilterForm
from tests.factories import (
    EventFactory,
    GroupFactory,
    InstrumentFactory,
    OrderFactory,
    SaleFactory,
    SyncRunFactory,
    TradeFactory,
)
from tests.portfolio.pages import Page
from tests.support import queries

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def public(settings):
    settings.DASHBOARD_PUBLIC = "true"


def form(**asked):
    found = ActivityFilterForm(asked)
    assert found.is_valid(), found.errors
    return found


def told(**asked):
    return [(one.kind, one.instrument_name) for one in activity_page(form(**asked), after=None).rows]


def three(at=NOON):
    TradeFactory(traded_at=at)
    EventFactory(at=at + timedelta(seconds=1))
    SyncRunFactory(failed=True, finished_at=at + timedelta(seconds=2))
    SyncRunFactory(finished_at=at)


def test_fills_protection_and_troubles_are_one_list():
    three()
    assert told() == [("sync", ""), ("protection", "BTC_USD"), ("fill", "BTC_USD")]


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        ({"kind": "fills"}, ["fill"]),
        ({"kind": "protection"}, ["protection"]),
        ({"kind": "sync"}, ["sync"]),
        ({"instrument": "btc/usd"}, ["protection", "fill"]),
        ({"instrument": "ETH_USD"}, []),
        ({"since": "2026-05-02"}, []),
        ({"until": "2026-04-30"}, []),
        ({"since": "2026-05-01", "until": "2026-05-01"}, ["sync", "protection", "fill"]),
    ],
)
def test_each_filter_finds_its_kind(asked, kinds):
    three()
    assert [kind for kind, _ in told(**asked)] == kinds


def test_a_sale_says_what_it_gained_and_leads_to_its_order(client):
    InstrumentFactory()
    order = OrderFactory(filled=True, side="SELL", advanced=True, exchange_order_id="77")
    SaleFactory(trade=TradeFactory(side="SELL", order_id="77"))
    (one,) = activity_page(form(), after=None).rows
    assert (one.text, one.result.realised_usd, one.order) == (
        "Sold 0.01000 of BTC/USD at 60,000.00",
        98.5,
        order.pk,
    )
    page = client.get("/history/").content.decode()
    assert f'href="/orders/{order.pk}/"' in page
    assert "$98.50" in page
    for address in ("/history/", f"/orders/{order.pk}/", "/", "/portfolio/"):
        assert "vs. average cost" in client.get(address).content.decode(), address


def test_what_went_wrong_is_told_in_words(client):
    three(timezone.now() - timedelta(minutes=1))
    EventFactory(new="STOP_FAILED", reason="The exchange refused it.", code=308)
    page = client.get("/history/").content.decode()
    for words in ("Sync failed", "connection refused", "The exchange refused it.", "Stop failed"):
        assert words in page


def everything():
    found, after = [], None
    for _ in range(100):
        page = activity_page(form(), after=after, size=4)
        assert len(page.rows) <= 4
        found += page.rows
        after = page.older
        if after is None:
            return found
    raise AssertionError("it does not end")


moments = st.integers(0, 4_000).map(lambda ns: int(NOON.timestamp()) * 10**9 + ns)
kinds = st.sampled_from(["fill", "event", "run"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(st.tuples(kinds, moments | st.just(int(NOON.timestamp()) * 10**9)), max_size=20))
def test_nothing_is_left_out_or_told_twice_between_pages(happened):
    Trade.objects.all().delete()
    SyncRun.objects.all().delete()
    OcoEvent.objects.all()._raw_delete("default")
    group = GroupFactory()
    for kind, ns in happened:
        at = datetime.fromtimestamp(ns // 10**9, UTC) + timedelta(microseconds=ns % 10**9 // 1000)
        if kind == "fill":
            TradeFactory(traded_at=at, create_time_ns=ns)
        elif kind == "event":
            EventFactory(group=group, at=at)
        else:
            SyncRunFactory(failed=True, finished_at=at)
    whole = activity_items(form(), after=None, size=1000)
    assert len(whole) == len(happened)
    assert sorted(whole, key=lambda one: one.cursor, reverse=True) == whole
    paged = everything()
    assert [(one.kind, one.at) for one in paged] == [(one.kind, one.at) for one in whole]
    ids = [(one.trade and one.trade.id, one.group_id and one.at) for one in paged]
    assert ids == [(one.trade and one.trade.pk, one.event and one.at) for one in whole]


def test_the_page_leads_on_with_its_filter(client):
    for _ in range(30):
        TradeFactory()
    EventFactory()
    first = client.get("/history/", {"kind": "fills"}).content.decode()
    second = client.get("/history/" + Page(first).next).content.decode()
    assert first.count('data-kind="fill"') == 25
    assert second.count("data-kind") == second.count('data-kind="fill"') == 5
    assert Page(second).next is None


def test_the_file_has_everything_and_no_formula(client, monkeypatch):
    monkeypatch.setattr("portfolio.views.history.FILE_BATCH_SIZE", 3)
    for _ in range(5):
        three()
    SyncRunFactory(failed=True, errors=["=cmd|' /C calc'!A0"])
    answer = client.get("/history/", {"format": "csv"})
    text = b"".join(answer.streaming_content).decode()
    rows = list(csv.DictReader(StringIO(text.removeprefix(UTF8_BOM), newline="")))
    assert len(rows) == 16
    assert rows[0]["reason"].startswith("'=cmd")
    assert {row["fee"] for row in rows} == {"", "1.50"}


def in_file(client, **query):
    answer = client.get("/history/", {"format": "csv", **query})
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(StringIO(text.removeprefix(UTF8_BOM), newline="")))


def test_the_file_tells_a_fill_in_columns(client):
    trade = TradeFactory(side="SELL", taker_side="MAKER", fee_usd=D("-1.50"))
    SaleFactory(trade=trade, unexplained=D("0.0001"))
    (row,) = in_file(client)
    told = {name: row[name] for name in ("side", "taker_side", "trade_id", "order_id", "fee", "fee_usd")}
    assert told == {
        "side": "SELL",
        "taker_side": "MAKER",
        "trade_id": trade.trade_id,
        "order_id": trade.order_id,
        "fee": "1.50",
        "fee_usd": "1.50",
    }
    assert (row["realised_usd"], row["unexplained_quantity"]) == ("98.50", "0.0001")


def test_a_file_for_programs_has_no_language(client, settings):
    TradeFactory()
    event = EventFactory()
    SyncRunFactory(failed=True, errors=["It failed."])
    english = in_file(client)
    client.cookies["django_language"] = "es"
    assert client.get("/history/").content.decode().count("Compra")
    assert in_file(client) == english
    assert {row["state"] for row in english} == {"", event.new, "FAILED"}
    assert {row["reason_code"] for row in english} == {"", event.reason_code}
    assert in_file(client, ids="text") != english


@pytest.mark.parametrize("kind", ["fills", "protection", "sync"])
def test_as_many_statements_for_much_as_for_little(client, kind):
    counts = []
    for more in (1, 30):
        for n in range(more):
            InstrumentFactory(symbol=f"C{n}_USD")
            order = OrderFactory(filled=True, side="SELL")
            TradeFactory(instrument_name=f"C{n}_USD", order_id=order.order_id, side="SELL")
            EventFactory()
            SyncRunFactory(failed=True)
        with queries() as statements:
            assert client.get("/history/", {"kind": kind}).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 20


def test_the_ends_of_time_and_nonsense_are_answered(client):
    three()
    for after in ("x", "9" * 18 + "_1_1", "-" + "9" * 18 + "_1_1", "1_9_9"):
        assert client.get("/history/", {"after": after}).status_code == 200
    assert client.get("/history/", {"since": "9999-12-31"}).status_code == 400
