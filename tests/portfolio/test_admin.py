"""The admin: everything can be read there and nothing of the record changed."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import formats, translation

from exchange.models import AuditEntry, ExchangeOrder, HistoryRange, SyncRun, Trade
from oco.models import Lot, LotTrade, OcoEvent, OcoGroup, OcoLeg, ProtectionPolicy
from portfolio.models import Alert, AlertMessage, ApiToken, CostEntry, WatchlistItem
from portfolio.security.sudo import CONFIRMED_AT_KEY
from tests import factories
from tests.portfolio.pages import Page

pytestmark = pytest.mark.django_db

OURS = [model for app in ("exchange", "oco", "portfolio") for model in apps.get_app_config(app).get_models()]
RECORDS = [model for model in OURS if model not in (ApiToken, ProtectionPolicy, WatchlistItem)]
MANY = [ExchangeOrder, Trade, OcoGroup, OcoEvent, OcoLeg, Lot, LotTrade, AuditEntry, SyncRun, Alert]
MANY += [AlertMessage, CostEntry, HistoryRange]
FACTORIES = {
    factory._meta.model: factory
    for factory in vars(factories).values()
    if isinstance(factory, type) and issubclass(factory, factories.DjangoModelFactory) and factory._meta.model
}


@pytest.fixture
def alice() -> Client:
    client = Client()
    client.force_login(factories.UserFactory())
    return client


def address(model, page: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", OURS)
def test_every_record_can_be_read(alice, model):
    row = FACTORIES[model]()
    for page in (address(model, "changelist"), address(model, "change", row.pk)):
        answer = alice.get(page)
        assert answer.status_code == 200
        html = answer.content.decode()
        assert "Nothing here is real" in html
        assert Page(html).inline == []


@pytest.mark.parametrize("model", RECORDS)
def test_no_record_can_be_made_changed_or_deleted(alice, model):
    row = FACTORIES[model]()
    before = model.objects.values().get(pk=row.pk)
    assert alice.get(address(model, "add")).status_code == 403
    assert alice.post(address(model, "change", row.pk), {}).status_code == 403
    assert alice.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    alice.post(address(model, "changelist"), {"action": "delete_selected", "_selected_action": [row.pk]})
    assert model.objects.values().get(pk=row.pk) == before


@pytest.mark.parametrize("model", OURS)
def test_every_filter_of_every_list_works(alice, model):
    FACTORIES[model]()
    answer = alice.get(address(model, "changelist"))
    for spec in answer.context["cl"].filter_specs:
        for choice in spec.choices(answer.context["cl"]):
            assert alice.get(address(model, "changelist") + choice["query_string"]).status_code == 200


@pytest.mark.parametrize("model", MANY)
def test_a_list_takes_the_same_queries_however_long_it_is(alice, model):
    FACTORIES[model]()
    few = queries_of(alice, address(model, "changelist"))
    FACTORIES[model].create_batch(39)
    assert queries_of(alice, address(model, "changelist")) == few <= 8


def test_a_group_takes_the_same_queries_however_long_its_journal_is(alice):
    group = factories.LegFactory().group
    factories.EventFactory(group=group)
    page = address(OcoGroup, "change", group.pk)
    few = queries_of(alice, page)
    factories.EventFactory.create_batch(20, group=group)
    for generation in range(2, 9):
        factories.LegFactory(group=group, generation=generation)
    assert queries_of(alice, page) == few


def queries_of(client, page):
    """Of the second request: the first one fills what is kept until something changes."""
    client.get(page)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page).status_code == 200
    return len(queries)


def test_every_model_of_ours_is_there():
    assert set(OURS) <= set(admin.site._registry)


def test_small_numbers_are_written_out(alice):
    balance = factories.BalanceFactory(quantity=Decimal("1.2E-7"), price_usd=Decimal("1E-10"))
    for page in (address(type(balance), "changelist"), address(type(balance), "change", balance.pk)):
        html = alice.get(page).content.decode()
        assert "0.00000012" in html
        assert "0.0000000001" in html
        assert "E-" not in html


@pytest.mark.parametrize("page", ["exchange_exchangeorder", "exchange_syncrun"])
def test_the_lists_of_orders_and_runs_have_the_button(alice, page):
    html = alice.get(reverse(f"admin:{page}_changelist")).content.decode()
    assert f'action="{reverse("sync-now")}"' in html


def listed(client, page):
    return {row.pk for row in client.get(page).context["cl"].result_list}


def test_what_is_held_without_a_price_is_found(alice):
    unknown = factories.BalanceFactory(currency="XYZ", price_usd=None)
    factories.BalanceFactory(currency="OLD", price_usd=None, quantity=Decimal("0.00"))
    factories.BalanceFactory()
    assert listed(alice, address(type(unknown), "changelist") + "?price=none") == {unknown.pk}


def test_alerts_that_did_not_arrive_are_found(alice):
    alerts = {state: factories.AlertFactory(state=state, attempts=1) for state in Alert.State.values}
    new = factories.AlertFactory()
    page = address(Alert, "changelist")
    waiting = {alerts[state].pk for state in ("DUE", "SENDING", "FAILED")}
    assert listed(alice, f"{page}?delivered=no") == waiting | {new.pk}
    assert listed(alice, f"{page}?delivered=tried") == waiting


def test_an_alert_is_found_by_its_group_and_leads_there(alice):
    group = factories.GroupFactory()
    alert = factories.AlertFactory(oco_group_id=group.pk, correlation_id="run-7")
    factories.AlertFactory(instrument_name="ETH_USD")
    page = address(Alert, "changelist")
    for term in (group.pk, "run-7", "BTC_USD"):
        assert listed(alice, f"{page}?q={term}") == {alert.pk}
    assert f'href="{address(OcoGroup, "change", group.pk)}"' in alice.get(page).content.decode()


@pytest.mark.parametrize("page", ["oco_protectionpolicy", "django_q_schedule", "auth_user"])
def test_what_could_end_the_watch_needs_the_password(alice, page):
    session = alice.session
    del session[CONFIRMED_AT_KEY]
    session.save()
    answer = alice.post(reverse(f"admin:{page}_add"), {})
    assert answer.templates[0].name == "sudo.html"


def test_the_admin_follows_the_theme_of_the_desk(alice):
    alice.cookies["theme"] = "dark"
    assert 'class="in-dark"' in alice.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize(("language", "day"), [("en", "22 Nov 2026"), ("es", "22 de noviembre de 2026")])
def test_a_time_in_the_admin_has_24_hours(language, day):
    with translation.override(language):
        shown = formats.localize(datetime(2026, 11, 22, 14, 7, tzinfo=UTC))
    assert shown.startswith(day)
    assert shown.endswith("14:07")


def test_no_label_or_help_of_a_policy_needs_another_book(alice):
    html = alice.get(address(ProtectionPolicy, "add")).content.decode()
    assert "Stop, in %" in html
    assert "dossier" not in html
