"""What a worried person finds in the admin about orders and trades."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from exchange.models import ExchangeOrder, Trade
from tests.factories import OrderFactory, SyncRunFactory, TradeFactory, UserFactory

pytestmark = pytest.mark.django_db

ORDERS = "/admin/exchange/exchangeorder/"


@pytest.fixture
def alice() -> Client:
    client = Client()
    client.force_login(UserFactory())
    return client


def listed(client: Client, address: str) -> set[str]:
    return {str(row.pk) for row in client.get(address).context["cl"].result_list}


def keys(*rows: ExchangeOrder | Trade) -> set[str]:
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
    assert "UNKNOWN, was ACTIVE" in alice.get(ORDERS).content.decode()


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
