"""Whole processes that send at the same time, or die while they do."""

import sqlite3

import pytest

from tests.portfolio.alerts.post import AlertServer
from tests.programs import wait_until

ROW = """INSERT INTO portfolio_alerts (kind, dedupe_key, condition, title, text, instrument_name, raised_at,
    acknowledged_by, state, attempts, claim, sent_to, refused_by, last_error, correlation_id, reason_code,
    reason_params, caused_by)
    VALUES ('EXIT', ?, '', ?, 'It was sold.', '',
    '2026-08-01 12:00:00', '', 'DUE', 0, '', '[]', '[]', '', '', '', '{}', '')"""


@pytest.fixture
def post():
    server = AlertServer()
    yield server
    server.close()


@pytest.fixture
def installation(tmp_path, post, templates):
    installation = templates.installation(tmp_path, ALERT_URLS=post.url())
    yield installation
    installation.clear()


def table(installation, sql, *values):
    with sqlite3.connect(installation.directory / "dry_run.sqlite3", timeout=20) as connection:
        return connection.execute(sql, values).fetchall()


def arrived(post, count):
    wait_until(lambda: len(post.asked) >= count)


def test_two_at_once_send_each_alert_once(installation, post):
    for number in range(5):
        table(installation, ROW, f"event {number}", f"Alert {number}")
    programs = [installation.start("send_alerts"), installation.start("send_alerts")]
    assert [program.wait() for program in programs] == [0, 0]
    assert sorted(post.titles) == [f"DRY RUN · Alert {number}" for number in range(5)]
    assert table(installation, "SELECT DISTINCT state FROM portfolio_alerts") == [("SENT",)]


def test_one_that_is_killed_while_it_sends_loses_nothing(installation, post):
    table(installation, ROW, "event 1", "Alert 1")
    post.gate.clear()
    sender = installation.start("send_alerts")
    arrived(post, 1)
    sender.kill()
    post.gate.set()
    assert table(installation, "SELECT state FROM portfolio_alerts") == [("SENDING",)]
    assert installation.run("send_alerts")[0] == 0
    assert table(installation, "SELECT state FROM portfolio_alerts") == [
        ("SENDING",)
    ]  # its claim still lives
    table(installation, "UPDATE portfolio_alerts SET claimed_at = datetime('now', '-6 minutes')")
    assert installation.run("send_alerts")[0] == 0
    assert table(installation, "SELECT state, attempts FROM portfolio_alerts") == [("SENT", 2)]
