"""The admin: everything can be read there and nothing of the record changed."""

from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from exchange.models import ExchangeOrder, Trade
from oco.models import OcoGroup, ProtectionPolicy
from tests import factories
from tests.portfolio.pages import Page

pytestmark = pytest.mark.django_db

OURS = [model for app in ("exchange", "oco", "portfolio") for model in apps.get_app_config(app).get_models()]
RECORDS = [model for model in OURS if model is not ProtectionPolicy]
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
    before = model.objects.values().get()
    assert alice.get(address(model, "add")).status_code == 403
    assert alice.post(address(model, "change", row.pk), {}).status_code == 403
    assert alice.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    alice.post(address(model, "changelist"), {"action": "delete_selected", "_selected_action": [row.pk]})
    assert model.objects.values().get() == before


@pytest.mark.parametrize("model", OURS)
def test_every_filter_of_every_list_works(alice, model):
    FACTORIES[model]()
    answer = alice.get(address(model, "changelist"))
    for spec in answer.context["cl"].filter_specs:
        for choice in spec.choices(answer.context["cl"]):
            assert alice.get(address(model, "changelist") + choice["query_string"]).status_code == 200


@pytest.mark.parametrize("model", [ExchangeOrder, OcoGroup, Trade])
def test_a_list_takes_the_same_queries_however_long_it_is(alice, model):
    FACTORIES[model].create_batch(40)
    with CaptureQueriesContext(connection) as queries:
        alice.get(address(model, "changelist"))
    assert len(queries) <= 6


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
