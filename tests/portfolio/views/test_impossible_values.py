"""Values that an earlier version believed and stored: no page, list, alert or cycle fails on them."""

from decimal import Decimal

import pytest
from django.test import Client

from exchange.core.reasons import reason
from exchange.models import ExchangeOrder, SyncRun, Trade
from oco.models import Lot, OcoLeg
from portfolio.alerts.incidents import alert_raise
from portfolio.alerts.texts import alert_text, alert_title, reason_param
from portfolio.models import Alert, Balance
from tests.factories import UserFactory

HUGE = [Decimal("1e28"), Decimal("1e59"), Decimal("-1e59"), Decimal("1e-59")]
PAGES = [
    "/",
    "/orders/",
    "/orders/?tab=open",
    "/portfolio/",
    "/protection/",
    "/history/",
    "/alerts/",
    "/orders/export.csv",
    "/history/export.csv",
    "/api/dashboard/state",
    "/api/orders/",
]


@pytest.fixture
def held(desk, world, settings):
    """Protected coins, and an executed order."""
    settings.AUTO_PROTECT = True
    desk.sync_ok()
    order = world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    desk.sync_ok()
    return order


@pytest.mark.parametrize("value", HUGE, ids=str)
def test_a_stored_number_beyond_reason_breaks_no_page_and_no_cycle(desk, world, held, value):
    names = ("quantity", "filled_quantity", "filled_value", "average_price", "price", "cumulative_fee")
    ExchangeOrder.objects.update(**dict.fromkeys(names, value))
    Trade.objects.update(quantity=value, price=value, fee=value)
    Balance.objects.update(quantity=value, market_value_usd=value, price_usd=value)
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    answers = {address: client.get(address).status_code for address in PAGES}
    assert {address: status for address, status in answers.items() if status >= 500} == {}
    OcoLeg.objects.update(executed=value)
    Lot.objects.update(sold=value)
    answers = {address: client.get(address).status_code for address in PAGES}
    assert {address: status for address, status in answers.items() if status >= 500} == {}
    for _ in range(2):
        run = desk.sync()
        assert run.status != SyncRun.Status.FAILED
        assert [text for text in run.errors if "log" in text] == []


@pytest.mark.parametrize("value", HUGE, ids=str)
def test_an_alert_about_it_is_rendered(db, desk, value):
    known = {"instrument": "BTC_USD", "side": "SELL", "since": None, "reason": reason_param(None)}
    why = reason("UNPROTECTED", quantity=value, value=value, **known)
    alert_raise(kind=Alert.Kind.UNPROTECTED, dedupe_key="x", reason=why, now=desk.now)
    alert = Alert.objects.get()
    assert "without a stop" in alert_title(alert)
    assert "unprotected since" in alert_text(alert)
