"""Derivative positions over a real socket: put there by the simulator's control, read by our own client."""

from decimal import Decimal

import pytest
import requests

from exchange.client.client import Client
from exchange.simulator.server import make_app, running_server
from portfolio.worker.runner import sync_run
from tests.exchange.simulator.world import KEY, SECRET
from tests.support import CLIENT_FACTORIES

pytestmark = pytest.mark.django_db


def test_a_position_is_among_the_unprotected(world, settings, monkeypatch, client):
    settings.DASHBOARD_PUBLIC = "true"
    with running_server(make_app(world.exchange)) as address:

        def connected(*, before_request):
            return Client(
                f"{address}/exchange/v1", KEY, SECRET, now_ms=world.now_ms, before_request=before_request
            )

        for name in CLIENT_FACTORIES:
            monkeypatch.setattr(name, connected)
        body = {"instrument_name": "ETHUSD-PERP", "quantity": "-1.5", "entry_price": "3000"}
        requests.post(f"{address}/_control/position", json=body, timeout=5).raise_for_status()
        assert sync_run(trigger="test").errors == []
    (row,) = client.get("/api/dashboard/state").json()["unprotected"]
    assert (row["instrument_name"], row["quantity"]) == ("ETHUSD-PERP", "-1.5")
    assert Decimal(row["market_value_usd"]) > 0
    assert row["since"] is not None
    assert "spot only" in row["reason"]
