"""`manage.py send_alerts`: what is due, now."""

import io

import pytest
from django.core.management import CommandError, call_command

from portfolio.models import Alert
from tests.factories import AlertFactory, SyncRunFactory
from tests.portfolio.alerts.post import TOKEN

pytestmark = pytest.mark.django_db


def run(*words):
    """What it printed, and its exit code."""
    out = io.StringIO()
    try:
        call_command("send_alerts", *words, stdout=out, stderr=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


def test_it_sends_what_is_due(post, clock):
    AlertFactory()
    assert run() == ("1 sent, 0 failed, 0 waiting\n", 0)
    assert len(post.messages) == 1


def test_it_says_by_its_exit_code_that_something_failed(post, clock):
    post.status = 500
    AlertFactory()
    assert run() == ("0 sent, 1 failed, 0 waiting\n", 1)


def test_it_makes_the_daily_one_that_is_due(post, clock):
    SyncRunFactory()
    assert run()[1] == 0
    assert post.titles == ["DRY RUN · Everything is protected"]


def test_without_a_channel_it_says_so(clock, settings):
    settings.ALERT_URLS = ""
    AlertFactory()
    assert run() == ("No alert channel is configured (ALERT_URLS). Alerts are shown on the pages only.\n", 0)


class TestTest:
    def test_each_channel_gets_a_message(self, post, clock):
        said, code = run("--test")
        assert (said, code) == ("✓ channel 1 (JSON): delivered\n", 0)
        assert post.titles == ["DRY RUN · Test alert"]
        assert not Alert.objects.exists()

    def test_it_names_the_one_that_fails_and_shows_no_address(self, post, clock, settings):
        settings.ALERT_URLS = f"{post.url()} json://127.0.0.1:1/{TOKEN}"
        said, code = run("--test")
        assert said.splitlines() == [
            "✓ channel 1 (JSON): delivered",
            "✗ channel 2 (JSON): not delivered",
        ]
        assert code == 1

    def test_without_a_channel_it_fails(self, clock, settings):
        settings.ALERT_URLS = ""
        with pytest.raises(CommandError, match="No alert channel is configured"):
            run("--test")


class TestDaily:
    def test_it_comes_before_its_time_and_then_not_again(self, post, clock, settings):
        settings.ALERT_DAILY_AT = settings.ALERT_DAILY_AT.replace(hour=23)
        SyncRunFactory()
        AlertFactory(daily_date="2026-07-31", kind="DAILY", state="SENT")
        said, code = run("--daily")
        assert code == 0
        assert "Everything is protected" in said
        assert len(post.messages) == 1
        clock.tick(hours=11, minutes=30)
        assert "The daily report of 2026-08-01 already exists." in run("--daily")[0]
        run()
        assert len([title for title in post.titles if "protected" in title]) == 1

    def test_before_the_first_cycle_there_is_nothing_to_tell(self, post, clock):
        with pytest.raises(CommandError, match="first complete cycle"):
            run("--daily")
