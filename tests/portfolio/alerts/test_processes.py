"""Whole processes that send at the same time, or die while they do."""

import sqlite3
import time

import pytest

from tests.portfolio.alerts.post import PostOffice
from tests.programs import Place

ROW = """INSERT INTO portfolio_alerts (kind, dedupe_key, condition, title, text, instrument_name, raised_at,
    acknowledged_by, state, attempts, claim, sent_to, last_error, correlation_id)
    VALUES ('EXIT', ?, '', ?, 'It was sold.', '', '2026-08-01 12:00:00', '', 'DUE', 0, '', '[]', '', '')"""


@pytest.fixture
def post():
    office = PostOffice()
    yield office
    office.close()


@pytest.fixture
def place(tmp_path, post):
    place = Place(tmp_path, ALERT_URLS=post.url())
    assert place.run("setup", "--no-static")[0] == 0
    yield place
    place.clear()


def table(place, sql, *values):
    with sqlite3.connect(place.directory / "dry_run.sqlite3", timeout=20) as connection:
        return connection.execute(sql, values).fetchall()


def arrived(post, count):
    end = time.monotonic() + 30
    while len(post.asked) < count:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_two_at_once_send_each_alert_once(place, post):
    for number in range(5):
        table(place, ROW, f"event {number}", f"Alert {number}")
    programs = [place.start("send_alerts"), place.start("send_alerts")]
    assert [program.wait() for program in programs] == [0, 0]
    assert sorted(post.titles) == [f"DRY RUN · Alert {number}" for number in range(5)]
    assert table(place, "SELECT DISTINCT state FROM portfolio_alerts") == [("SENT",)]


def test_one_that_is_killed_while_it_sends_loses_nothing(place, post):
    table(place, ROW, "event 1", "Alert 1")
    post.gate.clear()
    sender = place.start("send_alerts")
    arrived(post, 1)
    sender.kill()
    post.gate.set()
    assert table(place, "SELECT state FROM portfolio_alerts") == [("SENDING",)]
    assert place.run("send_alerts")[0] == 0
    assert table(place, "SELECT state FROM portfolio_alerts") == [("SENDING",)]  # its claim still lives
    table(place, "UPDATE portfolio_alerts SET claimed_at = datetime('now', '-6 minutes')")
    assert place.run("send_alerts")[0] == 0
    assert table(place, "SELECT state, attempts FROM portfolio_alerts") == [("SENT", 2)]
