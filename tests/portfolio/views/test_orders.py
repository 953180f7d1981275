"""The page of orders: filters, paging, the file, one order; as many statements for many orders as for few."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from io import StringIO

import pytest
from django.urls import reverse
from django.utils import timezone

from oco.engine.types import client_oid
from portfolio.views.lists import UTF8_BOM
from tests.factories import (
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


@pytest.fixture(autouse=True)
def public(settings):
    settings.DASHBOARD_PUBLIC = "true"
    SyncRunFactory()


def html(client, **query):
    answer = client.get("/orders/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def keys(text):
    return [row.key for row in Page(text).tables.get("orders", [])]


def listed(client, **query):
    return keys(html(client, **query))


def file(client, page="/orders/", **query):
    answer = client.get(page, {**query, "format": "csv"})
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(StringIO(text.removeprefix(UTF8_BOM), newline="")))


def test_the_last_changed_is_first(client):
    old = OrderFactory(created_at=timezone.now() - timedelta(days=2))
    new = OrderFactory(filled=True)
    page = html(client)
    assert keys(page) == [new.order_id, old.order_id]
    assert f'href="/orders/{new.pk}/"' in page


@pytest.mark.parametrize(
    ("query", "changes"),
    [
        ({"show": "open"}, {}),
        ({"show": "executed"}, {"filled": True}),
        ({"status": "UNKNOWN"}, {"missing_since": timezone.now()}),
        ({"status": "FILLED"}, {"filled": True}),
        ({"side": "SELL"}, {"side": "SELL"}),
        ({"instrument": " eth/usd"}, {"instrument_name": "ETH_USD"}),
        ({"role": "STOP_LOSS"}, {"order_role": "STOP_LOSS"}),
        ({"origin": "OURS"}, {"origin": "OURS"}),
        ({"since": "2026-01-01"}, {"updated_at": datetime(2026, 1, 1, tzinfo=UTC)}),
        ({"until": "2026-01-01"}, {"updated_at": datetime(2026, 1, 1, 23, 59, tzinfo=UTC)}),
    ],
)
def test_each_filter_finds_its_orders(client, query, changes):
    wanted = OrderFactory(**changes)
    other = {"instrument_name": "SOL_USD", "status": "REJECTED", "is_open": False}
    if "since" in query:
        OrderFactory(**other, updated_at=datetime(2025, 12, 31, 23, 59, tzinfo=UTC))
    elif "until" in query:
        OrderFactory(**other, updated_at=datetime(2026, 1, 2, tzinfo=UTC))
    else:
        OrderFactory(**other)
    assert listed(client, **query) == [wanted.order_id]


def test_the_filter_finds_what_the_list_calls_so(client):
    resting = OrderFactory(advanced=True, status="PENDING")
    working = OrderFactory()
    waiting = OrderFactory(status="NEW")
    assert set(listed(client, status="ACTIVE")) == {resting.order_id, working.order_id}
    assert listed(client, status="NEW") == [waiting.order_id]
    page = html(client)
    assert page.count(">Pending</option>") == 1
    assert ">Active</option>" in page


def test_a_market_buy_for_so_much_money_is_filled_and_has_no_of(client):
    bought = {"order_type": "MARKET", "canceled": True, "has_fills": True, "quantity": D("0.9261")}
    whole = OrderFactory(**bought, filled_quantity=D("0.9724"))
    taken_back = OrderFactory(canceled=True)
    assert listed(client, status="FILLED") == [whole.order_id]
    assert listed(client, status="CANCELED") == [taken_back.order_id]
    shown = html(client, status="FILLED")
    assert "0.9261" not in shown
    assert 'data-status="FILLED"' in shown
    one = client.get(f"/orders/{whole.pk}/").content.decode()
    assert "0.9261" not in one
    assert "Filled</span>" in one


def test_a_group_has_its_orders(client):
    group = GroupFactory()
    wanted = OrderFactory(oco_group_id=group.pk)
    OrderFactory()
    text = html(client, group=group.pk)
    assert keys(text) == [wanted.order_id]
    assert f'value="{group.pk}"' in text
    assert reverse("protection-group", args=[group.pk]) in text


def test_filters_are_all_meant(client):
    OrderFactory(side="SELL")
    OrderFactory(filled=True)
    assert listed(client, side="SELL", show="executed") == []


@pytest.mark.parametrize(
    "query",
    [{"side": "HOLD"}, {"since": "soon"}, {"until": "9999-12-31"}, {"since": "0001-01-01"}, {"group": "7"}],
)
def test_a_filter_that_makes_no_sense_says_so_and_shows_nothing(client, query):
    OrderFactory()
    answer = client.get("/orders/", query)
    assert (answer.status_code, keys(answer.content.decode())) == (400, [])
    assert "errorlist" in answer.content.decode()


def follow(client, text):
    return client.get("/orders/" + Page(text).next).content.decode()


def test_every_order_is_on_one_page_though_many_changed_at_once(client):
    now = timezone.now()
    orders = [OrderFactory(updated_at=now - timedelta(seconds=n // 40)) for n in range(60)]
    text, seen = html(client, side="BUY"), []
    for _ in range(3):
        seen += [keys(text)]
        if Page(text).next is None:
            break
        text = follow(client, text)
    assert [len(page) for page in seen] == [25, 25, 10]
    expected = sorted(orders, key=lambda order: (order.updated_at, order.pk), reverse=True)
    assert [key for page in seen for key in page] == [order.order_id for order in expected]


def test_what_comes_in_meanwhile_moves_no_page(client):
    orders = [OrderFactory() for _ in range(30)]
    first = html(client)
    OrderFactory()
    assert keys(follow(client, first)) == [order.order_id for order in reversed(orders[:5])]


@pytest.mark.parametrize(
    "after", ["x", "1_2", "1_2_3_4", "9" * 30 + "_0_0", "-" + "9" * 18 + "_0_0", "9" * 18 + "_0_1"]
)
def test_a_place_that_nobody_wrote_is_no_error(client, after):
    OrderFactory()
    assert client.get("/orders/", {"after": after}).status_code == 200


def test_the_file_has_what_the_filter_has_and_more_than_a_page(client):
    InstrumentFactory()
    for _ in range(30):
        OrderFactory(client_oid="=1+1")
    OrderFactory(side="SELL")
    rows = file(client, side="BUY")
    assert len(rows) == 30
    assert rows[0]["client_oid"] == "'=1+1"
    assert rows[0]["price"] == "60000.00"


def test_a_loss_is_a_negative_number_in_the_file(client):
    order = OrderFactory(filled=True, side="SELL")
    trade = TradeFactory(order_id=order.order_id, side="SELL")
    SaleFactory(trade=trade, realised_usd=D("-12.5"))
    assert file(client)[0]["realised_usd"] == "-12.5"


def test_the_file_of_everything_is_written_a_page_at_a_time(client, monkeypatch):
    monkeypatch.setattr("portfolio.views.orders.FILE_BATCH_SIZE", 7)
    made = {OrderFactory().order_id for _ in range(20)}
    rows = file(client)
    assert len(rows) == 20
    assert {row["order_id"] for row in rows} == made


def test_one_order_shows_its_executions_and_its_ids(client):
    order = OrderFactory(filled=True, side="SELL", advanced=True, exchange_order_id="7700", list_id="88")
    trade = TradeFactory(order_id="7700", side="SELL")
    SaleFactory(trade=trade)
    TradeFactory()
    text = client.get(f"/orders/{order.pk}/").content.decode()
    assert [row.key for row in Page(text).tables["executions"]] == [trade.trade_id]
    assert Page(text).tables["executions"][0].values == ["60000.00", "0.01000", "1.50", "98.50"]
    for told in (order.order_id, "7700", "88", order.client_oid):
        assert told in text


def test_a_mirror_is_no_order_and_nothing_is_nothing(client):
    mirror = OrderFactory(is_mirror=True)
    for pk in (mirror.pk, 10**6, 10**30):
        assert client.get(f"/orders/{pk}/").status_code == 404


def test_as_many_statements_for_many_orders_as_for_few(client):
    counts = []
    for more in (2, 60):
        for n in range(more):
            InstrumentFactory(symbol=f"C{n}_USD")
            order = OrderFactory(filled=True, side="SELL", instrument_name=f"C{n}_USD")
            TradeFactory(order_id=order.order_id)
        with queries() as statements:
            html(client)
        with queries() as one:
            client.get(f"/orders/{order.pk}/")
        counts.append((len(statements), len(one)))
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 25


@pytest.mark.parametrize(
    "page", ["/orders/", "/orders/1/", "/history/", "/portfolio/", "/orders/?format=csv"]
)
def test_a_stranger_is_asked_to_log_in(client, settings, page):
    settings.DASHBOARD_PUBLIC = "false"
    answer = client.get(page)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")


def test_an_order_of_ours_that_a_restore_forgot_is_not_called_manual(client):
    name = client_oid(account="a", entry_order_id="1", first_trade_id="1", generation=1, role="STOP_LOSS")
    forgotten, stranger = OrderFactory(client_oid=name), OrderFactory(client_oid="xd-mine")
    OrderFactory(client_oid="")
    words = "before a backup was restored"
    assert words in client.get(f"/orders/{forgotten.pk}/").content.decode()
    assert words not in client.get(f"/orders/{stranger.pk}/").content.decode()
    assert client.get("/").content.decode().count("Exchange Desk, before a restore") == 1


@pytest.mark.parametrize("page", ["/orders/", "/history/"])
def test_a_file_for_a_spreadsheet_is_offered_that_keeps_every_digit(client, page):
    order = OrderFactory(filled=True, order_id="6530219599901234567")
    TradeFactory(order_id=order.order_id)
    assert 'href="?format=csv&amp;ids=text"' in client.get(page).content.decode()
    assert {row["order_id"] for row in file(client, page)} == {order.order_id}
    assert {row["order_id"] for row in file(client, page, ids="text")} == {f"'{order.order_id}"}


@pytest.mark.parametrize("page", ["/orders/", "/history/", "/portfolio/"])
def test_nothing_inline_and_nothing_from_elsewhere(client, page):
    OrderFactory(filled=True)
    TradeFactory()
    found = Page(client.get(page).content.decode())
    assert (found.inline, found.external) == ([], [])
    assert client.post(page).status_code == 405
