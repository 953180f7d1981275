"""A page, the API and a file show the same order and the same fill: one status, one sign, one number."""

import csv
import re
from decimal import Decimal as D
from io import StringIO

import pytest

from portfolio.views.lists import UTF8_BOM
from tests.factories import OrderFactory, TradeFactory

pytestmark = pytest.mark.django_db
ORDERS = {
    "a market buy for an amount of money": (
        {"order_type": "MARKET", "canceled": True, "has_fills": True, "filled_quantity": D("0.5")},
        "FILLED",
    ),
    "one that bought nothing": ({"order_type": "MARKET", "canceled": True}, "CANCELED"),
    "a sale taken back in part": (
        {
            "order_type": "MARKET",
            "side": "SELL",
            "canceled": True,
            "has_fills": True,
            "filled_quantity": D(1),
        },
        "CANCELED",
    ),
    "a stop that waits": ({"advanced": True, "status": "PENDING"}, "ACTIVE"),
    "a limit order on its way": ({"status": "NEW"}, "NEW"),
}


def in_file(client, address):
    answer = client.get(address, {"format": "csv"})
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(StringIO(text.removeprefix(UTF8_BOM), newline="")))


@pytest.mark.parametrize("which", ORDERS)
def test_an_order_has_one_status(client, which):
    changes, status = ORDERS[which]
    order = OrderFactory(**changes)
    state = client.get("/api/dashboard/state").json()
    told = {
        "page": re.findall(r'pill [a-z]+" data-status="(\w+)"', client.get("/orders/").content.decode())[0],
        "detail": re.findall(r'data-status="(\w+)"', client.get(f"/orders/{order.pk}/").content.decode())[0],
        "file": in_file(client, "/orders/")[0]["status"],
        "api": client.get(f"/api/orders/{order.pk}/").json()["status"],
        "list": client.get("/api/orders/").json()["results"][0]["status"],
    }
    told["state"] = [*state["open_orders"], *state["executed_orders"], {"status": status}][0]["status"]
    assert told == dict.fromkeys(told, status)
    for address in ("/api/orders/", "/orders/"):
        found = {
            one: order.order_id in client.get(address, {"status": one}).content.decode()
            for one in ("ACTIVE", "NEW", "FILLED", "CANCELED")
        }
        assert [one for one, is_listed in found.items() if is_listed] == [status], address


def test_a_fee_has_one_sign(client):
    order = OrderFactory(filled=True)
    TradeFactory(order_id=order.order_id, fee=D("-1.50"), fee_currency="USD")
    told = [
        in_file(client, "/orders/")[0]["fee"],
        in_file(client, "/history/")[0]["fee"],
        client.get("/api/orders/").json()["results"][0]["fee"],
        client.get("/api/trades/").json()["results"][0]["fee"],
        client.get("/api/dashboard/state").json()["executed_orders"][0]["fee"],
    ]
    assert told == ["1.50"] * 5
    page = client.get(f"/orders/{order.pk}/").content.decode()
    assert page.count(">1.50</data> USD") == 2
