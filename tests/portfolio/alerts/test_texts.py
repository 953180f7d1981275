"""An alert is stored as data and rendered in the language of the reader."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone, translation

from exchange.core.reasons import reason
from oco.engine.states import State
from portfolio.alerts import texts
from portfolio.alerts.accounting_checks import report_balance_changes
from portfolio.alerts.delivery import build_message
from portfolio.alerts.incidents import Incident, alert_raise, incident_open, incident_resolve
from portfolio.alerts.runner import CHECKS
from portfolio.alerts.services import ALERT_KINDS
from portfolio.alerts.system_checks import check_system
from portfolio.alerts.text_table import CHECK_LABELS, LINES, TEXTS
from portfolio.alerts.texts import alert_text, alert_title
from portfolio.models import Alert
from tests.factories import AlertFactory, BalanceChangeFactory, SyncRunFactory, UserFactory

pytestmark = pytest.mark.any_database

PLACEHOLDER = re.compile(r"%\((\w+)\)")
SPANISH = {"accept-language": "es"}


@pytest.fixture(autouse=True)
def english():
    """Whatever language the pages of a test leave active."""
    with translation.override("en"):
        yield


def codes_in_source() -> Iterator[str]:
    """Literal arguments of `reason(…)` in the package of the alerts, and literals that choose between two."""
    for path in Path(texts.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("reason", "_change_reason"):
                yield from (one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant))


def variants(template):
    return list(template.values()) if isinstance(template, dict) else [template]


def all_texts():
    for code, both in TEXTS.items():
        yield from ((code, text) for text in (*variants(both.title), *variants(both.text)))
    yield from ((code, text) for code, template in LINES.items() for text in variants(template))


def localised(text, language):
    with translation.override(language):
        return str(text % Placeholders())


class Placeholders(dict):
    def __missing__(self, name):
        return 1 if name == "count" else f"%({name})"


def test_every_code_that_is_used_has_a_text():
    used = {*codes_in_source(), *map(str, ALERT_KINDS), State.STOP_FAILED, State.UNKNOWN}
    assert used - set(TEXTS) - set(LINES) == set()
    assert set(TEXTS) - used == set()
    assert set(CHECKS) == set(CHECK_LABELS)


@pytest.mark.parametrize(("code", "text"), [one for one in all_texts() if one[1]])
def test_every_text_has_a_spanish_version_with_the_same_placeholders(code, text):
    english, spanish = localised(text, "en"), localised(text, "es")
    assert sorted(PLACEHOLDER.findall(spanish)) == sorted(PLACEHOLDER.findall(english))
    words = re.sub(PLACEHOLDER, "", english)
    assert english != spanish or not re.search(r"[a-z]{3}", words)


@pytest.mark.django_db
class TestShown:
    @pytest.fixture(autouse=True)
    def sold(self, settings):
        """A sale at market, reported while the language of the settings is English."""
        settings.LANGUAGE_CODE = "en"
        self.alert = self.raise_alert()

    def raise_alert(self):
        sale = reason(
            "CLOSED_BY_EXIT", instrument="BTC_USD", side="SELL", coin="BTC", quantity="0.01000", usd="-31"
        )
        sale += reason("FILL_WITHOUT_PRICE")
        alert_raise(
            kind="EXIT", dedupe_key="event 1", reason=sale, now=timezone.now(), instrument_name="BTC_USD"
        )
        return Alert.objects.get()

    def test_on_the_page_and_in_the_banner_in_the_language_of_the_reader(self):
        spanish = Client(headers=SPANISH).get("/alerts/").content.decode()
        assert spanish.count("BTC/USD: vendido a mercado, −$31,00") >= 2  # the banner and the list
        assert "0,01000\u00a0BTC vendidos; precio aún no disponible." in spanish
        english = Client().get("/alerts/").content.decode()
        assert "BTC/USD: sold at market, −$31.00" in english
        assert "0.01000\u00a0BTC sold; price not available yet." in english

    def test_in_the_admin_in_the_language_of_the_reader(self):
        browser = Client(headers=SPANISH)
        browser.force_login(UserFactory())
        for page in ("/admin/portfolio/alert/", f"/admin/portfolio/alert/{self.alert.pk}/change/"):
            assert "BTC/USD: vendido a mercado, −$31,00" in browser.get(page).content.decode()

    def test_in_messages_in_the_language_of_the_settings(self, settings):
        with translation.override("es"):
            assert "sold at market" in build_message([self.alert]).title
        settings.LANGUAGE_CODE = "es"
        assert "vendido a mercado" in build_message([self.alert]).title

    def test_nothing_is_stored_as_text(self):
        assert (self.alert.title, self.alert.text) == ("", "")
        assert self.alert.reason_params["following"] == [{"code": "FILL_WITHOUT_PRICE", "params": {}}]
        assert str(self.alert) == "sold at market BTC_USD"


@pytest.mark.django_db
def test_an_alert_of_an_earlier_version_is_shown_as_it_was_stored():
    alert = AlertFactory(title="BTC_USD: old title", text="An old text.")
    assert (alert_title(alert), alert_text(alert)) == ("BTC_USD: old title", "An old text.")
    page = Client(headers=SPANISH).get("/alerts/").content.decode()
    assert '<a href="/alerts/" lang="en">BTC_USD: old title</a>' in page
    assert "An old text." in page


@pytest.mark.django_db
@pytest.mark.parametrize("changes", [{"reason_code": "OF_A_LATER_VERSION"}, {"reason_code": "UNPROTECTED"}])
def test_one_that_cannot_be_rendered_keeps_no_other_from_being_sent(changes):
    alert = AlertFactory(title="", text="", **changes)
    other = AlertFactory(title="Another one")
    assert alert_title(alert) == "stop could not be placed BTC_USD"
    assert "Another one" in build_message([alert, other]).text


@pytest.mark.django_db
def test_a_rejected_key_says_what_the_exchange_answered_and_what_to_do():
    SyncRunFactory(failed=True, error_codes=[40103])
    check_system(now=timezone.now())
    alert = Alert.objects.get()
    assert alert.exchange_code == 40103
    text = alert_text(alert)
    assert "40103" in text
    assert "IP address not on the key's allow-list" in text
    assert "public IP address" in text
    with translation.override("es"):
        assert "40103" in alert_text(alert)
        assert "dirección IP" in alert_text(alert)


@pytest.mark.django_db
def test_what_is_resolved_is_named_by_the_title_of_the_alert_that_it_closes():
    now = timezone.now()
    incident_open(
        incident=Incident(key="worker", kind="WORKER", reason=reason("WORKER_SILENT", since=now)), now=now
    )
    AlertFactory(kind="KEY", condition="key", title="An old title")
    for key, over in (("worker", "WORKER_RUNS"), ("key", "KEY_ACCEPTED")):
        incident_resolve(key=key, reason=reason(over), now=now)
    first, second = Alert.objects.filter(kind="WELL").order_by("id")
    assert alert_title(first) == "Resolved: The worker is not responding"
    assert alert_title(second) == "Resolved: An old title"
    with translation.override("es"):
        assert alert_title(first) == "Resuelto: El worker no responde"


@pytest.mark.django_db
def test_times_are_those_of_the_reader(settings):
    moment = datetime(2026, 8, 1, 12, tzinfo=UTC)
    with timezone.override("Europe/Madrid"):
        rendered = texts.render_text(reason("WORKER_SILENT", since=moment))
    assert "No heartbeat since 2026-08-01 14:00:00 CEST." in rendered


@pytest.mark.django_db
def test_a_balance_change_is_reported_once():
    BalanceChangeFactory()
    report_balance_changes(now=timezone.now())
    report_balance_changes(now=timezone.now())
    alert = Alert.objects.get()
    assert alert_title(alert) == "BTC: unexplained balance decrease"
    assert "0.5 BTC (about $30,000.00)" in alert_text(alert)
    BalanceChangeFactory(change="0.5", is_reversal=True)
    report_balance_changes(now=timezone.now())
    assert [row.kind for row in Alert.objects.order_by("id")] == ["DRIFT", "WELL"]
