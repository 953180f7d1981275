"""What a worried person finds in the admin about orders and trades."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from exchange.admin import base
from exchange.models import AuditEntry, ExchangeOrder, Trade
from tests.factories import AuditEntryFactory, OrderFactory, SyncRunFactory, TradeFactory, UserFactory

pytestmark = pytest.mark.django_db

ORDERS = "/admin/exchange/exchangeorder/"
TRADES = "/admin/exchange/trade/"
AUDIT = "/admin/exchange/auditentry/"


@pytest.fixture
def alice() -> Client:
    client = Client()
    client.force_login(UserFactory())
    return client


def listed(client: Client, address: str) -> set[str]:
    return {str(row.pk) for row in client.get(address).context["cl"].result_list}


def keys(*rows: ExchangeOrder | Trade | AuditEntry) -> set[str]:
    return {str(row.pk) for row in rows}


def link(html: str, text: str) -> str:
    found = re.search(rf'<a href="([^"]+)">{text}', html)
    assert found
    return found[1].replace("&amp;", "&")


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("open", {"working", "missing", "partly"}),
        ("executed", {"filled"}),
        ("unknown", {"missing"}),
        ("partly", {"partly"}),
    ],
)
def test_the_filter_answers_what_state_orders_are_in(alice, state, names):
    orders = {
        "working": OrderFactory(),
        "missing": OrderFactory(missing_since=timezone.now()),
        "partly": OrderFactory(has_fills=True),
        "filled": OrderFactory(filled=True),
        "canceled": OrderFactory(canceled=True),
    }
    assert listed(alice, f"{ORDERS}?state={state}") == keys(*(orders[name] for name in names))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("side=SELL", {"old"}),
        ("within=hour", {"new"}),
        ("within=week", {"new", "old"}),
        ("within=ever", None),
    ],
)
def test_orders_and_trades_are_narrowed_by_side_and_by_age(alice, query, names):
    before = timezone.now() - timedelta(days=2)
    young = timezone.now()
    made = {
        ORDERS: {
            "new": OrderFactory(created_at=young),
            "old": OrderFactory(created_at=before, side="SELL"),
            "ancient": OrderFactory(created_at=before - timedelta(days=9)),
        },
        TRADES: {
            "new": TradeFactory(),
            "old": TradeFactory(traded_at=before, side="SELL"),
            "ancient": TradeFactory(traded_at=before - timedelta(days=9)),
        },
    }
    for address, rows in made.items():
        wanted = rows if names is None else names
        assert listed(alice, f"{address}?{query}") == keys(*(rows[name] for name in wanted))


def test_trades_that_were_not_dealt_with_are_found(alice):
    waiting = TradeFactory()
    TradeFactory(side="SELL")
    TradeFactory(is_new=False)
    assert listed(alice, f"{TRADES}?dealt=no") == keys(waiting)


def test_the_audit_log_says_what_people_did_and_what_was_refused(alice):
    person = AuditEntryFactory()
    sent = AuditEntryFactory(what="PAIR_PLACE", actor="worker 7", result="ACCEPTED", correlation_id="run-7")
    refused = AuditEntryFactory(what="ORDER_CANCEL", actor="worker 7", result="REFUSED")
    assert listed(alice, f"{AUDIT}?who=people") >= keys(person)
    assert listed(alice, f"{AUDIT}?who=program") == keys(sent, refused)
    assert listed(alice, f"{AUDIT}?who=doubtful") == keys(refused)
    assert listed(alice, f"{AUDIT}?q=worker 7") == keys(sent, refused)
    run = SyncRunFactory(pk=7)
    html = alice.get(f"/admin/exchange/syncrun/{run.pk}/change/").content.decode()
    assert listed(alice, link(html, "What it sent")) == keys(sent)


def test_a_very_long_list_is_not_counted_to_its_end(alice, monkeypatch):
    OrderFactory.create_batch(4)
    assert "4 exchange orders" in " ".join(alice.get(ORDERS).content.decode().split())
    monkeypatch.setattr(base, "MAX_COUNT", 3)
    html = alice.get(ORDERS).content.decode()
    assert "More than 3: filter, or search for an ID." in html
    assert "&gt; 3 results" in html


def test_an_order_is_found_by_any_of_its_ids(alice):
    order = OrderFactory(order_id="61", exchange_order_id="57", client_oid="mine", list_id="9", advanced=True)
    OrderFactory(instrument_name="ETH_USD")
    for term in ("61", "57", "mine", "9", "BTC_USD", " 61 "):
        assert listed(alice, f"{ORDERS}?q={term}") == keys(order)
    assert listed(alice, f"{ORDERS}?q=6") == set()
    assert 'name="q"' in alice.get(ORDERS).content.decode()


def test_an_order_leads_to_its_trades_and_to_the_other_leg(alice):
    order = OrderFactory(order_id="61", exchange_order_id="57", list_id="9", advanced=True)
    other = OrderFactory(list_id="9", advanced=True)
    OrderFactory()
    trades = [TradeFactory(order_id="61"), TradeFactory(order_id="57")]
    TradeFactory()
    html = alice.get(f"{ORDERS}{order.pk}/change/").content.decode()
    assert listed(alice, link(html, "Its trades")) == keys(*trades)
    assert listed(alice, link(html, "All legs of list 9")) == keys(order, other)


def test_a_trade_leads_to_its_order_by_either_id(alice):
    order = OrderFactory(order_id="61", exchange_order_id="57", advanced=True)
    TradeFactory(order_id="57")
    html = alice.get("/admin/exchange/trade/").content.decode()
    assert listed(alice, link(html, "57")) == keys(order)


def test_an_order_that_went_missing_says_so(alice):
    OrderFactory(missing_since=timezone.now())
    assert "Unknown, check (was: Active)" in alice.get(ORDERS).content.decode()


def test_failed_runs_are_found_with_their_errors(alice):
    SyncRunFactory()
    SyncRunFactory(failed=True)
    answer = alice.get(reverse("admin:exchange_syncrun_changelist") + "?trouble=yes")
    assert answer.context["cl"].result_count == 1
    assert "connection refused" in answer.content.decode()


def test_a_user_without_permission_sees_no_orders():
    client = Client()
    client.force_login(UserFactory(is_superuser=False))
    assert client.get(ORDERS).status_code == 403
