"""A good cycle is told elsewhere, quickly, and nobody ever sees the address."""

import logging

import pytest

from portfolio import tasks
from portfolio.alerts import system_checks
from portfolio.alerts.system_checks import heartbeat_ping
from tests.portfolio.alerts.post import TOKEN


@pytest.fixture
def elsewhere(post, settings):
    settings.HEARTBEAT_URL = post.web()
    return post


@pytest.fixture
def asked(monkeypatch):
    found = []
    monkeypatch.setattr("portfolio.tasks.async_task", lambda name, *args, **_: found.append(name))
    return found


def test_it_is_a_get(elsewhere):
    assert heartbeat_ping()
    assert elsewhere.asked == [f"/{TOKEN}"]


def test_without_an_address_nothing_is_asked(post, settings):
    settings.HEARTBEAT_URL = ""
    assert not heartbeat_ping()
    assert post.asked == []


@pytest.mark.parametrize("status", [404, 500])
def test_a_bad_answer_is_logged_without_the_address(elsewhere, caplog, status):
    elsewhere.status = status
    assert not heartbeat_ping()
    assert caplog.messages == [f"Alerts: the heartbeat address answered {status}"]


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/Planted9TokenOfAChannel", "http://[Planted9TokenOfAChannel"]
)
def test_nobody_there_is_logged_without_the_address(settings, caplog, address):
    caplog.set_level(logging.DEBUG)
    settings.HEARTBEAT_URL = address
    assert not heartbeat_ping()
    assert TOKEN not in caplog.text
    assert "did not answer" in caplog.text


def test_who_never_answers_is_not_waited_for(elsewhere, monkeypatch):
    monkeypatch.setattr(system_checks, "HEARTBEAT_TIMEOUT_SECONDS", 0.2)
    elsewhere.gate.clear()
    assert not heartbeat_ping()


def test_only_a_complete_cycle_is_told(desk, world, elsewhere, asked):
    tasks.sync_cycle()
    assert "portfolio.tasks.ping_heartbeat" in asked
    asked.clear()
    world.faults.add("drop_before")
    desk.tick(60)
    assert tasks.sync_cycle().endswith(" failed")
    assert "portfolio.tasks.ping_heartbeat" not in asked
    assert elsewhere.asked == []  # the cycle itself waits for nobody


def test_without_an_address_no_task_is_made(desk, settings, asked):
    settings.HEARTBEAT_URL = ""
    tasks.sync_cycle()
    assert "portfolio.tasks.ping_heartbeat" not in asked


def test_the_task_says_how_it_went(elsewhere):
    assert tasks.ping_heartbeat() == "accepted"
    elsewhere.status = 500
    assert tasks.ping_heartbeat() == "not accepted"
