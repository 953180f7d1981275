"""`manage.py backfill_orders --since DATE` reads old history and can be stopped and started."""

import pytest
from django.core.management import CommandError, call_command

from exchange.models import HistoryRange, Trade
from exchange.services.lease import lease_take

DAY = 24 * 3600


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch, desk):
    monkeypatch.setattr("exchange.management.commands.backfill_orders.time.sleep", desk.tick)


def run(since, capsys):
    call_command("backfill_orders", f"--since={since}")
    return capsys.readouterr().out.splitlines()


def since(desk, days):
    return (desk.now.date().fromordinal(desk.now.date().toordinal() - days)).isoformat()


def test_history_is_read_and_counted(desk, world, capsys):
    for _ in range(5):
        world.buy("BTC_USD", "0.0001")
        world.tick(DAY)
    day = since(desk, 10)
    lines = run(day, capsys)
    assert lines[0] == f"Reading orders and fills back to {day}, newest first."
    assert lines[-1] == "History is complete. 10 rows read."
    assert Trade.objects.count() == 5


def test_started_again_there_is_nothing_new(desk, capsys):
    day = since(desk, 10)
    run(day, capsys)
    assert run(day, capsys) == [f"Nothing to read: all back to {day} was read before."]


def test_only_what_was_asked_for_is_read(desk, world, capsys):
    """The first cycle left half a year to the worker; of it, these days and no more."""
    for _ in range(40):
        world.buy("BTC_USD", "0.0001")
        world.tick(DAY)
    desk.sync_ok()
    stored = Trade.objects.count()
    desk.requested.clear()
    day = since(desk, 25)
    lines = run(day, capsys)
    rows = 2 * (Trade.objects.count() - stored)
    assert 40 < rows < 60
    assert lines[-1] == (
        f"History is complete back to {day}; the worker goes on with what is older. {rows} rows read."
    )
    assert len(desk.requested) <= 2 * 26 + 5
    assert set(HistoryRange.objects.filter(done_at=None).values_list("why", flat=True)) == {"first run"}
    assert run(day, capsys) == [f"Nothing to read: all back to {day} was read before."]


def test_a_day_in_the_future_is_refused(desk):
    with pytest.raises(CommandError, match="lies in the future"):
        call_command("backfill_orders", f"--since={since(desk, -1)}")
    assert not HistoryRange.objects.exists()


def test_an_exchange_that_is_down_makes_no_history_complete(desk, world, capsys):
    world.faults.add("http", status=502)
    with pytest.raises(CommandError, match="start the command again"):
        call_command("backfill_orders", f"--since={since(desk, 10)}")
    assert "complete" not in capsys.readouterr().out


def test_it_waits_for_a_cycle_that_holds_the_lease(desk, capsys, monkeypatch):
    lease = lease_take(purpose="cycle")
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        if len(waited) == 3:
            lease.release()

    monkeypatch.setattr("exchange.management.commands.backfill_orders.time.sleep", sleep)
    assert run(since(desk, 2), capsys)[-1] == "History is complete. 0 rows read."
    assert waited == [1, 1, 1]


def test_a_refusal_is_one_sentence_and_nothing_is_lost(desk, world):
    world.buy("BTC_USD", "0.0001")
    desk.sync_ok()
    desk.tick(3 * DAY)
    world.faults.add("refuse", "private/get-order-history", nth=2, code=40101)
    with pytest.raises(CommandError, match=r"\[40101\].*start the command again"):
        call_command("backfill_orders", f"--since={since(desk, 300)}")
    assert HistoryRange.objects.filter(done_at=None).exists()


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-02-30", "01.05.2026"])
def test_a_date_that_is_none_is_refused(desk, text):
    with pytest.raises(CommandError, match="write a date as"):
        call_command("backfill_orders", f"--since={text}")
    assert not HistoryRange.objects.exists()
