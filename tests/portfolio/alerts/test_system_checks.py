"""The desk tells of itself: sync, clock, key and switch; each trouble once, and once that it is over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from exchange.models import UnreadableRow
from portfolio.alerts.system_checks import check_system
from portfolio.alerts.texts import alert_text, alert_title
from portfolio.models import Alert
from tests.factories import AuditEntryFactory, StreamRecordFactory, SyncRunFactory, TradingSwitchFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stopped(clock):
    return clock


def look():
    check_system(now=timezone.now())
    return [(alert.kind, alert_title(alert)) for alert in Alert.objects.order_by("id")]


def kinds():
    return [kind for kind, _ in look()]


def fail(count=3, **changes):
    for number in reversed(range(count)):
        SyncRunFactory(failed=True, age=5 + 60 * number, **changes)


def test_all_is_well_and_nothing_is_told():
    SyncRunFactory()
    assert look() == []


class TestSync:
    def test_three_failed_intervals_are_told_once_and_the_end_once(self, clock):
        SyncRunFactory(age=200)
        fail()
        assert look() == look() == [("SYNC", "Sync with the exchange failing")]
        assert "connection refused" in alert_text(Alert.objects.get())
        clock.tick(seconds=60)
        SyncRunFactory()
        assert look() == look()
        assert look()[1:] == [("WELL", "Resolved: Sync with the exchange failing")]

    def test_two_are_not_yet(self):
        SyncRunFactory(age=170)
        fail(2)
        assert look() == []

    def test_a_night_switched_off_is_no_failure(self):
        SyncRunFactory(age=36_000)
        fail(1)
        assert look() == []

    def test_a_desk_that_never_got_through(self):
        fail(4)
        assert kinds() == ["SYNC"]
        assert "last one: never" in alert_text(Alert.objects.get())

    def test_failing_a_second_time_is_told_a_second_time(self, clock):
        fail(4)
        look()
        clock.tick(seconds=60)
        SyncRunFactory()
        look()
        clock.tick(seconds=300)
        fail(4)
        assert kinds() == ["SYNC", "WELL", "SYNC"]

    def test_what_is_left_half_done_is_incomplete_and_says_what_still_works(self, clock):
        SyncRunFactory(age=300)
        fail(3, status="PARTIAL", errors=["Order history: no answer."])
        assert look() == look() == [("SYNC", "Sync with the exchange incomplete")]
        assert "New purchases are protected" in alert_text(Alert.objects.get())
        clock.tick(seconds=60)
        SyncRunFactory(failed=True)
        assert look()[1:] == [("SYNC", "Sync with the exchange failing")]
        clock.tick(seconds=60)
        SyncRunFactory()
        assert kinds() == ["SYNC", "SYNC", "WELL", "WELL"]


class TestKey:
    @pytest.mark.parametrize("code", [40101, 40103])
    def test_it_is_told_at_once(self, code):
        SyncRunFactory(failed=True, errors=["Unauthorized"], error_codes=[code])
        assert look() == [("KEY", "The exchange rejects the API key")]
        assert str(code) in alert_text(Alert.objects.get())

    def test_a_read_that_is_refused_is_no_missing_right_to_trade(self):
        AuditEntryFactory(what="PAIR_PLACE", result="ACCEPTED")
        SyncRunFactory(status="PARTIAL", errors=["Positions"], error_codes=[40101])
        assert look() == [("KEY", "The exchange rejects the API key")]

    def test_orders_refused_for_the_key_are(self):
        SyncRunFactory(status="PARTIAL", errors=["not allowed"], error_codes=[40101], age=0)
        AuditEntryFactory(what="PAIR_PLACE", result="REFUSED", code=40101)
        assert look() == [("KEY", "The API key may not trade")]

    def test_a_wrong_clock_and_a_full_minute_are_no_refused_key(self):
        SyncRunFactory(failed=True, error_codes=[40102, 42901])
        assert "KEY" not in kinds()

    def test_silence_does_not_end_it_but_an_answer_does(self, clock):
        SyncRunFactory(failed=True, error_codes=[40101])
        look()
        clock.tick(seconds=60)
        SyncRunFactory(failed=True)
        assert kinds() == ["KEY"]
        clock.tick(seconds=60)
        SyncRunFactory()
        assert kinds() == ["KEY", "WELL"]


class TestClock:
    @pytest.mark.parametrize(("offset", "told"), [(10_000, []), (10_001, ["CLOCK"]), (-61_000, ["CLOCK"])])
    def test_ten_seconds_are_the_limit(self, offset, told):
        SyncRunFactory(clock_offset_ms=offset)
        assert kinds() == told

    def test_a_refused_nonce_is_a_wrong_clock_whatever_the_date_header_says(self):
        SyncRunFactory(failed=True, clock_offset_ms=300, error_codes=[40102])
        assert look() == [("CLOCK", "The exchange refuses this machine's clock")]
        assert "0.3 s" in alert_text(Alert.objects.get())

    def test_not_measured_it_is_neither_wrong_nor_well(self, clock):
        SyncRunFactory(clock_offset_ms=-12_000)
        look()
        clock.tick(seconds=60)
        SyncRunFactory(clock_offset_ms=None)
        assert kinds() == ["CLOCK"]
        clock.tick(seconds=60)
        SyncRunFactory(clock_offset_ms=3)
        assert kinds() == ["CLOCK", "WELL"]


class TestSwitch:
    def test_each_turn_is_told_once(self, clock):
        switch = TradingSwitchFactory()
        assert look() == look() == [("SWITCH", "Trading was switched off")]
        assert "alice" in alert_text(Alert.objects.get())
        clock.tick(minutes=1)
        switch.is_off, switch.changed_by, switch.changed_at = False, "bob", timezone.now()
        switch.save()
        assert look()[1:] == [("SWITCH", "Trading was switched on")]
        assert "bob" in alert_text(Alert.objects.latest("id"))

    def test_one_of_long_ago_is_no_news(self):
        TradingSwitchFactory(changed_at=timezone.now() - timedelta(days=2))
        assert look() == []


class TestRows:
    def seen(self, **changes):
        values = {"method": "private/get-trades", "row_id": "7", "problem": "field fees is not a number"}
        now = timezone.now()
        UnreadableRow.objects.create(**values | changes, raw="{}", first_seen_at=now, last_seen_at=now)

    def test_what_the_newest_cycle_did_not_believe_is_told_once_and_its_end_once(self):
        SyncRunFactory(age=5)
        self.seen()
        title = "The exchange sent impossible data"
        assert look() == look() == [("SYNC", title)]
        assert "private/get-trades, id 7: field fees" in alert_text(Alert.objects.get())
        UnreadableRow.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
        SyncRunFactory(age=1)
        assert look()[1] == ("WELL", f"Resolved: {title}")

    def test_a_cycle_that_failed_does_not_end_it(self):
        SyncRunFactory(age=5)
        self.seen()
        assert kinds() == ["SYNC"]
        UnreadableRow.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
        fail(
            1,
        )
        assert kinds() == ["SYNC"]


class TestStream:
    @pytest.fixture(autouse=True)
    def listening(self, settings):
        settings.STREAM_ENABLED = True
        SyncRunFactory()

    def test_three_minutes_without_it_are_told_once_with_the_reason_and_the_end_once(self):
        record = StreamRecordFactory(status="down", age=179, error="public/auth was not allowed [40101]")
        assert look() == []
        record.since -= timedelta(seconds=2)
        record.save()
        assert look() == look() == [("SYNC", "The exchange's live stream is down")]
        assert "public/auth was not allowed [40101]" in alert_text(Alert.objects.get())
        record.status = "live"
        record.save()
        assert look() == look()
        assert look()[1:] == [("WELL", "Resolved: The exchange's live stream is down")]

    def test_catching_up_is_neither(self):
        StreamRecordFactory(status="catching_up", age=600)
        assert look() == []

    def test_switched_off_nobody_misses_it(self, settings):
        settings.STREAM_ENABLED = False
        StreamRecordFactory(status="down", age=600)
        assert look() == []
