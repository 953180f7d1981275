"""The kill switch as a file: it holds when the database cannot be written, read or found."""

import contextlib
import errno
import os
import stat

import pytest
from django.core.management import CommandError
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone

from exchange.models import AuditEntry, TradingSwitch
from exchange.services import kill_switch_file
from exchange.services.kill_switch_file import file_name, file_set
from exchange.services.order_execution import create_blocked_reason
from oco.services.kill_switch import resume_trading, stop_trading
from oco.services.validation import NotPossible
from tests.factories import TradingSwitchFactory
from tests.oco.support import group, ours


@pytest.fixture
def place(settings, tmp_path):
    settings.KILL_SWITCH_FILES = [tmp_path / "desk.kill_switch", tmp_path / "other" / "desk.kill_switch"]
    return settings.KILL_SWITCH_FILES


@pytest.fixture
def full(monkeypatch):
    """Nothing can be written into the database."""

    def refuse(*args, **kwargs):
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(TradingSwitch.objects, "update_or_create", refuse)


@pytest.mark.django_db
def test_the_command_works_on_a_full_disk(run, full, place):
    assert "Kill switch turned on by " in run("kill_switch", "on")
    assert not TradingSwitch.objects.exists()
    assert create_blocked_reason().code == "KILL_SWITCH_ON"


def test_while_it_is_there_no_stop_is_placed(desk, world, place):
    desk.sync_ok()
    file_set(name="alice")
    world.buy("BTC_USD", "0.01")
    desk.sync_ok()
    assert (group().state, ours(world)) == ("PENDING", [])


def test_a_disk_with_no_byte_left_still_takes_the_file(place, monkeypatch):
    def refuse(number, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(kill_switch_file.os, "write", refuse)
    file_set(name="alice")
    assert place[0].stat().st_size == 0
    assert file_name() == "a file"


def test_a_read_only_disk_gives_it_another_place(place, monkeypatch):
    place[1].parent.mkdir()
    real = os.open

    def refuse(path, *args, **kwargs):
        if path == place[0]:
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(kill_switch_file.os, "open", refuse)
    assert file_set(name="alice") == place[1]
    assert file_name() == "alice"
    assert stat.S_IMODE(place[1].stat().st_mode) == 0o600


def test_with_no_place_and_no_database_the_command_says_so(db, run, full, settings, tmp_path):
    settings.KILL_SWITCH_FILES = [tmp_path / "nowhere" / "x"]
    with pytest.raises(OperationalError):
        run("kill_switch", "on")


@pytest.mark.django_db
def test_with_no_place_the_row_is_enough(settings, tmp_path):
    settings.KILL_SWITCH_FILES = [tmp_path / "nowhere" / "x"]
    stop_trading(changed_by="alice", now=timezone.now())
    assert create_blocked_reason().params == {"name": "alice"}


def test_another_user_of_the_machine_cannot_turn_trading_off(place, monkeypatch):
    place[1].parent.mkdir()
    place[1].write_text("mallory")
    monkeypatch.setattr(kill_switch_file.os, "geteuid", lambda: 4711)
    if os.getuid() == 0:
        os.chown(place[1], 4712, 4712)
    assert file_name() is None


def test_a_file_that_cannot_be_looked_at_counts(place, monkeypatch):
    place[0].parent.joinpath("link").symlink_to("link")
    place[0] = place[0].parent / "link" / "x"  # too many levels of links
    assert file_name() == "a file"


@pytest.mark.django_db
def test_the_file_blocks_even_when_the_row_says_that_trading_is_on(place):
    TradingSwitchFactory(is_off=False)
    file_set(name="alice")
    assert create_blocked_reason().params == {"name": "alice"}


def test_the_next_cycle_stores_it_and_the_file_stays(desk, place):
    file_set(name="alice")
    desk.sync()
    assert (TradingSwitch.objects.get().is_off, TradingSwitch.objects.get().changed_by) == (True, "alice")
    assert AuditEntry.objects.filter(what="SWITCH_OFF").count() == 1
    desk.sync()
    assert AuditEntry.objects.filter(what="SWITCH_OFF").count() == 1
    assert place[0].exists()


@pytest.mark.django_db
def test_turning_trading_on_removes_both(place):
    stop_trading(changed_by="alice", now=timezone.now())
    assert place[0].read_text() == "alice\n"
    resume_trading(changed_by="bob", now=timezone.now())
    assert (create_blocked_reason(), place[0].exists()) == (None, False)


@pytest.mark.django_db
def test_a_file_that_stays_keeps_trading_off(place, monkeypatch, run):
    stop_trading(changed_by="alice", now=timezone.now())

    def refuse(*args, **kwargs):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.unlink", refuse)
        with pytest.raises(NotPossible, match="Trading stays off"):
            resume_trading(changed_by="bob", now=timezone.now())
        with pytest.raises(CommandError, match="Trading stays off"):
            run("kill_switch", "off")
    assert TradingSwitch.objects.get().is_off


@pytest.mark.django_db
def test_the_page_shows_it_before_the_worker_has_stored_it(place, admin_client):
    file_set(name="alice")
    html = admin_client.get(reverse("switch")).content.decode()
    assert "Trading is off" in html
    assert "alice" in html
    assert admin_client.get(reverse("switch-on")).status_code == 200


def test_two_that_press_at_once_are_both_served(place, monkeypatch):
    file_set(name="alice")
    monkeypatch.setattr(kill_switch_file, "_is_ours", lambda file: False)
    with contextlib.suppress(OSError):
        file_set(name="bob")
    monkeypatch.undo()
    assert place[0].read_text() == "alice\n"
