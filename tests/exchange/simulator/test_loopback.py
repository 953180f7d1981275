"""The same application behind a real socket: what only a real line can show."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
import requests

from exchange.client.client import Client
from exchange.client.errors import UnknownOutcome
from exchange.schemas import NameSpace, NewOrder
from exchange.simulator.server import running_server
from tests.exchange.simulator.world import KEY, SECRET, World

BUY = NewOrder(
    instrument_name="CRO_USD",
    side="BUY",
    type="LIMIT",
    client_oid="mine",
    quantity=Decimal(100),
    price=Decimal("0.04"),
)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with running_server(world.app) as root:
        yield root


def test_an_order_through_a_socket(world, address):
    client = Client(f"{address}/exchange/v1", KEY, SECRET, now_ms=world.now_ms)
    client.order_create(NameSpace.PLAIN, BUY)
    assert [order.client_oid for order in client.open_orders(NameSpace.PLAIN)] == ["mine"]
    state = requests.post(f"{address}/_control/state", json={}, timeout=5).json()
    assert state["orders"][0]["client_oid"] == "mine"


def test_a_line_that_breaks_after_the_order_was_booked(world, address):
    world.faults.add("process_then_drop", "private/create-order")
    client = Client(f"{address}/exchange/v1", KEY, SECRET, now_ms=world.now_ms)
    with pytest.raises(UnknownOutcome):
        client.order_create(NameSpace.PLAIN, BUY)
    assert [order.client_oid for order in world.open_orders()] == ["mine"]
