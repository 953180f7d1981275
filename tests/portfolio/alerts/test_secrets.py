"""Addresses of channels are secrets: they are in no log, page, error or table, whatever goes wrong."""

import io
import logging
import traceback

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from exchange.checks import settings_errors
from exchange.core.observability import redact, secret_parts
from portfolio import checks
from portfolio.alerts.channels import configured_channels
from portfolio.alerts.delivery import alert_deliver_all
from portfolio.alerts.runner import run_alert_checks
from tests.factories import AlertFactory, UserFactory
from tests.portfolio.alerts.post import TOKEN

pytestmark = pytest.mark.django_db
CHAT = "tgram://123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/987654321"
MAIL = "mailto://someone:Planted-Pass%21@mail.example.org?to=me@example.org"
FRAGMENTS = (TOKEN, "AAHdqTcv", "123456789", "Planted-Pass", "987654321")
PAGES = ["/", "/alerts/", "/alerts/?show=all", "/health", "/api/dashboard/state", "/admin/portfolio/alert/"]


@pytest.fixture
def troubled(post, clock, settings):
    """A channel that refuses, one that is not there, and one that is nonsense."""
    post.status = 500
    settings.ALERT_URLS = f"{post.url()} json://me:{TOKEN}@127.0.0.1:1/{TOKEN} nonsense://{TOKEN}"
    settings.HEARTBEAT_URL = post.web()
    AlertFactory()
    return post


def leaks(*texts):
    return [word for text in texts for word in FRAGMENTS if word in text]


def test_nothing_that_comes_out_shows_an_address(troubled, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("apprise").setLevel(1)
    run_alert_checks()
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("send_alerts", "--test", stdout=out, stderr=out)
    browser = Client()
    browser.force_login(UserFactory())
    pages = [browser.get(page).content.decode() for page in PAGES]
    rows = [str(row) for model in apps.get_models() for row in model.objects.values()]
    assert leaks(caplog.text, out.getvalue(), *pages, *rows, *capfd.readouterr()) == []
    assert "channel 3 (?)" in out.getvalue()


def test_what_a_channel_says_of_itself_is_no_address(troubled):
    assert leaks(repr(configured_channels()), *(channel.name for channel in configured_channels())) == []


def test_settings_that_cannot_work_are_refused_without_being_repeated(settings):
    settings.ALERT_URLS = f"json://127.0.0.1/x nonsense://{TOKEN}"
    settings.HEARTBEAT_URL = f"ftp://{TOKEN}"
    said = settings_errors()
    assert "Apprise does not recognise address 2 of 2." in said
    assert "HEARTBEAT_URL is not a valid URL." in said
    assert leaks(said) == []


@pytest.mark.parametrize("text", [TOKEN, "json://", "tgram://", "://", "https://[::1"])
def test_what_is_no_address_at_all_is_refused(settings, text):
    settings.ALERT_URLS = text
    assert [error.id for error in run_checks(tags=["exchange"]) if error.id.startswith("portfolio")] == [
        "portfolio.E001"
    ]


@pytest.mark.parametrize(
    "text", ["http://[bad", "https://", "//host/x", "https://host:0/", "https://host:port/"]
)
def test_an_address_of_the_web_is_one(settings, text):
    settings.HEARTBEAT_URL = settings.DESK_URL = text
    assert [error.id for error in checks.check_urls(None)] == ["portfolio.E002", "portfolio.E003"]


def test_good_ones_are_not_refused(settings):
    settings.ALERT_URLS = f"{CHAT}, {MAIL} ntfy://topic,slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    settings.HEARTBEAT_URL, settings.DESK_URL = "https://hc-ping.com/1234", "https://desk.example.org:8443"
    assert settings_errors() == ""
    assert [channel.name for channel in configured_channels()] == [
        "channel 1 (Telegram)",
        "channel 2 (E-Mail)",
        "channel 3 (ntfy)",
        "channel 4 (Slack)",
    ]


def test_a_live_account_without_a_channel_is_warned_about(settings):
    settings.LIVE_TRADING, settings.ALERT_URLS = True, ""
    assert [warning.id for warning in checks.check_alert_channel(None)] == ["portfolio.W001"]
    settings.LIVE_TRADING = False
    assert list(checks.check_alert_channel(None)) == []


@pytest.mark.parametrize(
    "line",
    [
        f"POST {CHAT}",
        "GET https://api.telegram.org/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage",
        "smtp login someone Planted-Pass!",
        "smtp login someone Planted-Pass%21",
        f"GET https://hc.example.org/{TOKEN}/fail",
    ],
)
def test_a_token_that_comes_back_in_another_shape_is_taken_out(settings, line):
    settings.ALERT_URLS, settings.HEARTBEAT_URL = f"{CHAT} {MAIL}", f"https://hc.example.org/{TOKEN}"
    assert leaks(redact(line)) == []
    assert redact(line) != line


def test_ordinary_words_stay(settings):
    settings.ALERT_URLS = (
        "json://127.0.0.1:8080/hook mailto://me:Secret77@mail1.example.org?to=you@example.org"
    )
    line = "127.0.0.1:8080 mail1.example.org you@example.org hook json mailto"
    assert redact(line) == line
    assert "Secret77" in secret_parts(settings.ALERT_URLS)


def test_a_traceback_shows_no_address(troubled, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr("portfolio.alerts.delivery.build_message", broken)
    with pytest.raises(RuntimeError) as caught:
        alert_deliver_all(clock=timezone.now)
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert leaks("".join(frames.format())) == []
