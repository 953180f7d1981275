"""The exchange's clock is measured from its answers, and named when ours is refused."""

from email.utils import formatdate

import pytest

from exchange.client.clock import ClockOffset
from exchange.client.errors import ClockError
from tests.exchange.replay import START_MS, Clock, Replay, client_of, envelope, error_response


def date_at(ms: int) -> str:
    return formatdate(ms / 1000, usegmt=True)


def test_nothing_is_claimed_before_the_first_answer():
    assert client_of(Replay()).clock_offset_ms is None


@pytest.mark.parametrize("ahead_ms", [0, 75_000, -61_000])
def test_the_offset_is_known_to_half_a_second(ahead_ms):
    client = client_of(Replay(envelope(date=date_at(START_MS + ahead_ms), result={"data": []})))
    client.positions()
    assert abs(client.clock_offset_ms - ahead_ms) <= 500


def test_a_refused_nonce_names_the_measured_offset():
    answer = error_response(40102, 400, date=date_at(START_MS + 75_000))
    with pytest.raises(ClockError, match=r"this machine's clock is about 75\.\d s behind the exchange's"):
        client_of(Replay(answer)).positions()


def test_a_refused_nonce_without_a_date_still_has_a_remedy():
    with pytest.raises(ClockError, match="NTP"):
        client_of(Replay(error_response(40102, 400))).positions()


def test_the_quickest_answer_is_believed():
    offset = ClockOffset()
    offset.measure(date_at(10_000), 9_000, 11_800)
    offset.measure(date_at(20_000), 20_450, 20_550)
    offset.measure(date_at(30_000), 29_000, 31_900)
    assert offset.ms == 0


@pytest.mark.parametrize(
    ("date", "sent_ms", "received_ms"),
    [
        ("", 0, 10),
        ("yesterday", 0, 10),
        ("Mon, 99 Jan 2026 00:00:00 GMT", 0, 10),
        (date_at(5_000), 0, 3_001),
        (date_at(5_000), 10, 0),
    ],
)
def test_slow_answers_and_odd_dates_teach_nothing(date, sent_ms, received_ms):
    offset = ClockOffset()
    offset.measure(date, sent_ms, received_ms)
    assert offset.ms is None


@pytest.mark.parametrize("zone", ["GMT", "-0000"])
def test_a_date_of_any_year_can_be_read(zone):
    for year in (1, 1969, 9999):
        offset = ClockOffset()
        offset.measure(f"Fri, 01 Jan {year:04} 00:00:00 {zone}", START_MS, START_MS)
        assert offset.ms is not None


def test_a_clock_that_was_set_is_noticed_at_once():
    offset, clock = ClockOffset(), Clock()
    offset.measure(date_at(clock.ms), clock.ms, clock.ms)
    offset.measure(date_at(clock.ms + 90_000), clock.ms, clock.ms + 200)
    assert abs(offset.ms - 90_000) <= 600
