"""A key that may read and not trade: the cause and what to do are told at once, everywhere."""

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from exchange.client.errors import REMEDIES
from exchange.models import AuditEntry
from oco.services.groups import group_cancel
from portfolio.alerts.system_checks import check_system
from portfolio.alerts.texts import alert_text, alert_title
from portfolio.models import Alert
from portfolio.web.health import health
from tests.oco.support import check_converged, created, group, resting

REMEDY = REMEDIES[40101]


@pytest.fixture
def powerless(desk, world):
    """Something was bought, and the key may not trade any more."""
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.control("access", may_trade=False)
    return desk


def alerts():
    check_system(now=timezone.now())
    return {(alert.kind, alert_title(alert)) for alert in Alert.objects.filter(ended_at=None)}


def test_the_first_cycle_says_it(powerless):
    run = powerless.sync()
    assert (run.status, created(powerless.requested)) == ("PARTIAL", 1)
    assert any("[40101]" in error and REMEDY in error for error in run.errors)
    assert (group().state, group().exchange_code) == ("STOP_FAILED", 40101)
    assert alerts() == {
        ("STOP_FAILED", "BTC/USD: stop could not be placed"),
        ("KEY", "The API key may not trade"),
    }
    for alert in Alert.objects.filter(ended_at=None):
        assert REMEDY[1:] in alert_text(alert)
    state = health(now=timezone.now())
    assert state.status == "degraded"
    assert any(REMEDY[1:] in sentence for sentence in state.reasons)
    page = Client().get(f"/protection/{group().pk}/").content.decode()
    assert "does not let this API key trade" in page


def test_it_is_told_once_and_tried_once_a_cycle(powerless, world):
    for _ in range(4):
        powerless.sync()
        assert created(powerless.requested) == 1
        alerts()
    assert Alert.objects.filter(kind="KEY").count() == 1
    world.control("access", may_trade=True)
    powerless.sync_ok()
    assert group().state == "ACTIVE"
    assert alerts() == set()
    check_converged(world)


def test_it_is_over_when_no_order_waits(powerless, world):
    powerless.sync()
    alerts()
    world.sell("BTC_USD", "0.01")
    for _ in range(2):
        powerless.unchecked()
    assert group().state == "CLOSED_BY_HAND"
    assert not {kind for kind, _title in alerts()} & {"KEY"}


def test_a_cancel_that_is_refused_for_the_key_is_told_too(desk, world, held):
    world.control("access", may_trade=False)
    group_cancel(group_id=group().pk, requested_by="alice", now=timezone.now())
    run = desk.sync()
    assert any("[40101]" in error and REMEDY in error for error in run.errors)
    assert ("KEY", "The API key may not trade") in alerts()
    assert AuditEntry.objects.first().reason_code == "ORDER_NOT_ALLOWED"
    assert len(resting(world)) == 2


def test_the_command_ends_with_exit_code_1(powerless, capsys):
    with pytest.raises(SystemExit) as end:
        call_command("sync_exchange")
    assert end.value.code == 1
    assert REMEDY[1:] in capsys.readouterr().err
