"""Alerts leave by real HTTP: once, in the right words, and again until they are taken."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from portfolio.alerts import channels
from portfolio.alerts.delivery import alert_deliver_all
from portfolio.models import Alert, AlertMessage
from tests.factories import AlertFactory, GroupFactory

State = Alert.State
pytestmark = pytest.mark.django_db


def states():
    return list(Alert.objects.order_by("id").values_list("state", flat=True))


def test_what_is_due_leaves_once(post, clock):
    alert = AlertFactory()
    assert alert_deliver_all(clock=clock).sent == 1
    assert alert_deliver_all(clock=clock).sent == 0
    alert.refresh_from_db()
    assert (alert.state, alert.sent_at, alert.attempts) == (State.SENT, clock(), 1)
    assert post.titles == ["DRY RUN · BTC_USD: stop could not be placed"]


def test_a_dry_run_is_said_loudly_and_the_page_is_named(post, clock, settings):
    settings.DESK_URL = "https://desk.example.org"
    group = GroupFactory()
    AlertFactory(oco_group_id=group.pk)
    alert_deliver_all(clock=clock)
    (letter,) = post.messages
    assert "*** DRY RUN: nothing here is real." in letter["message"]
    assert "The exchange refused it three times." in letter["message"]
    assert f"https://desk.example.org/protection/{group.pk}/" in letter["message"]
    assert letter["type"] == "failure"


def test_live_is_said_as_well(post, clock, settings):
    settings.ENVIRONMENT = "LIVE"
    AlertFactory()
    alert_deliver_all(clock=clock)
    assert post.titles == ["LIVE · BTC_USD: stop could not be placed"]
    assert "DRY RUN" not in post.messages[0]["message"]
    assert "Real money" in post.messages[0]["message"]


def test_without_an_address_of_its_own_the_desk_is_where_it_listens(post, clock, settings):
    settings.HOST, settings.PORT = "0.0.0.0", 8123
    AlertFactory()
    alert_deliver_all(clock=clock)
    assert "http://127.0.0.1:8123/alerts/" in post.messages[0]["message"]


def test_many_at_once_are_one_digest(post, clock):
    for number in range(30):
        AlertFactory(title=f"Alert {number}")
    assert alert_deliver_all(clock=clock).sent == 30
    assert post.titles == ["DRY RUN · 30 alerts"]
    assert all(f"Alert {number}\n" in post.messages[0]["message"] for number in range(30))


def test_what_is_too_much_for_an_hour_waits_for_its_digest(post, clock):
    for _ in range(6):
        AlertFactory()
        alert_deliver_all(clock=clock)
    AlertFactory()
    done = alert_deliver_all(clock=clock)
    assert (done.sent, done.waiting, len(post.messages)) == (0, 1, 6)
    clock.tick(minutes=10)
    assert alert_deliver_all(clock=clock).sent == 1


class TestFailure:
    def test_it_is_tried_again_later_and_later(self, post, clock):
        post.status = 500
        alert = AlertFactory()
        waited = []
        for _ in range(5):
            assert alert_deliver_all(clock=clock).failed == 1
            alert.refresh_from_db()
            assert alert.state == State.DUE
            assert alert_deliver_all(clock=clock).failed == 0  # not before its time
            waited.append(alert.next_try_at - clock())
            clock.tick(seconds=waited[-1].total_seconds())
        assert waited == [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 60)]
        assert alert.delivery_error == "Not accepted by channel 1 (JSON)."
        post.status = 200
        assert alert_deliver_all(clock=clock).sent == 1
        assert len(post.messages) == 1

    def test_after_a_day_it_is_given_up(self, post, clock):
        post.status = 500
        alert = AlertFactory()
        alert_deliver_all(clock=clock)
        clock.tick(days=1)
        alert_deliver_all(clock=clock)
        alert.refresh_from_db()
        assert alert.state == State.FAILED
        post.status = 200
        clock.tick(days=1)
        assert alert_deliver_all(clock=clock).sent == 0

    def test_nobody_there(self, post, clock, settings):
        settings.ALERT_URLS = "json://127.0.0.1:1/nobody"
        AlertFactory()
        assert alert_deliver_all(clock=clock).failed == 1

    def test_one_channel_of_two_fails_and_only_that_one_is_asked_again(self, post, clock, settings):
        settings.ALERT_URLS = f"{post.url('first')} json://127.0.0.1:1/second"
        alert = AlertFactory()
        assert alert_deliver_all(clock=clock).failed == 1
        alert.refresh_from_db()
        assert alert.delivery_error == "Not accepted by channel 2 (JSON)."
        settings.ALERT_URLS = f"{post.url('first')}, {post.url('second')}"
        clock.tick(minutes=1)
        assert alert_deliver_all(clock=clock).sent == 1
        assert post.asked == ["/first", "/second"]

    def test_a_server_that_never_answers_costs_no_more_than_the_deadline(self, post, clock, monkeypatch):
        monkeypatch.setattr(channels, "SEND_TIMEOUT_SECONDS", 0.2)
        post.gate.clear()
        AlertFactory()
        assert alert_deliver_all(clock=clock).failed == 1
        assert len(post.asked) == 1
        post.gate.set()

    def test_while_the_channels_are_slow_a_round_ends_before_the_queue_ends_it(
        self, post, clock, monkeypatch
    ):
        monkeypatch.setattr("portfolio.alerts.delivery.MAX_RUN_SECONDS", 0)
        AlertFactory.create_batch(3)
        assert alert_deliver_all(clock=clock).waiting == 3
        assert post.asked == []

    def test_a_plugin_that_breaks_is_a_channel_that_did_not_take_it(self, post, clock, monkeypatch, caplog):
        def broken(*args, **kwargs):
            raise RuntimeError(f"secret in {post.url()}")

        monkeypatch.setattr("apprise.plugins.custom_json.NotifyJSON.notify", broken)
        AlertFactory()
        assert alert_deliver_all(clock=clock).failed == 1
        assert "channel 1 failed (RuntimeError)" in caplog.text
        assert "Planted9" not in caplog.text


class TestClaim:
    def test_what_another_is_sending_is_left_to_it(self, post, clock):
        AlertFactory(state=State.SENDING, claim="another", claimed_at=clock())
        assert alert_deliver_all(clock=clock).sent == 0
        assert post.messages == []

    def test_a_claim_that_died_is_taken_again(self, post, clock):
        AlertFactory(state=State.SENDING, claim="another", claimed_at=clock(), attempts=1)
        clock.tick(minutes=5, seconds=1)
        assert alert_deliver_all(clock=clock).sent == 1

    def test_who_comes_back_too_late_changes_nothing(self, post, clock, monkeypatch):
        """Its claim went to another while it was sending."""
        alert = AlertFactory()
        taken = channels.send_all

        def slow(messages):
            Alert.objects.filter(pk=alert.pk).update(claim="another")
            return taken(messages)

        monkeypatch.setattr("portfolio.alerts.delivery.send_all", slow)
        alert_deliver_all(clock=clock)
        alert.refresh_from_db()
        assert (alert.state, alert.claim, alert.sent_to) == (State.SENDING, "another", [])

    def test_the_place_of_a_message_is_taken_once(self, post, clock, monkeypatch):
        """Who counted before another sent stops: together they are not faster than one."""
        AlertFactory.create_batch(2)
        monkeypatch.setattr("portfolio.alerts.delivery._last_number", lambda: 0)
        AlertMessage.objects.create(number=1, at=clock(), alerts=1)
        assert alert_deliver_all(clock=clock).waiting == 2
        assert post.messages == []


def test_without_a_channel_they_stay_on_the_desk_for_good(clock, settings, post):
    settings.ALERT_URLS = ""
    AlertFactory()
    alert_deliver_all(clock=clock)
    assert states() == [State.DESK]
    settings.ALERT_URLS = post.url()
    alert_deliver_all(clock=clock)
    assert post.messages == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_nothing_twice(post, clock, monkeypatch):
    """Both have read the same alerts as due before either claims one."""
    for number in range(5):
        AlertFactory(title=f"Alert {number}")
    both = threading.Barrier(2)
    whole = "portfolio.alerts.delivery._batches"
    from portfolio.alerts import delivery

    plan = delivery._batches

    def together(due, now):
        both.wait(10)
        return plan(due, now)

    monkeypatch.setattr(whole, together)
    sent = []

    def work():
        try:
            sent.append(alert_deliver_all(clock=clock).sent)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(post.titles) == [f"DRY RUN · Alert {number}" for number in range(5)]
    assert sum(sent) == 5
    assert states() == [State.SENT] * 5


def test_what_is_new_does_not_wait_behind_what_a_dead_channel_refuses(post, clock, settings):
    """More of the old is due each hour than leaves in an hour: the new one would wait until those are given up."""
    settings.ALERT_URLS = f"{post.url()} json://127.0.0.1:1/nobody"
    for number in range(60):
        AlertFactory(title=f"Old {number}", attempts=4, first_tried_at=clock())
    clock.tick(minutes=1)
    AlertFactory(title="New")
    alert_deliver_all(clock=clock)
    assert "New\n" in post.messages[0]["message"]


def test_a_digest_is_read_in_the_order_of_what_happened(post, clock):
    """What was tried before comes before what is new, whichever of them was chosen first."""
    for number in range(4):
        AlertFactory(title=f"Old {number}", attempts=1, first_tried_at=clock())
    clock.tick(minutes=1)
    for number in range(4):
        AlertFactory(title=f"New {number}")
    alert_deliver_all(clock=clock)
    words = post.messages[0]["message"]
    assert words.index("Old 3") < words.index("New 0")
