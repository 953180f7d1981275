"""A removal that somebody asked for is never called a replacement, on whatever page."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import (
    BalanceFactory,
    EventFactory,
    GroupFactory,
    InstrumentFactory,
    SyncRunFactory,
)

pytestmark = pytest.mark.django_db
WORD = "Removal requested"


@pytest.fixture
def removed():
    SyncRunFactory()
    InstrumentFactory()
    BalanceFactory()
    why = {"reason_code": "RELEASED_BY", "reason_params": {"name": "alice"}}
    group = GroupFactory(
        state="REPLACING",
        cancel_requested_at=timezone.now(),
        cancel_requested_by="alice",
        lot__side="SELL",
        lot__unit_cost=61_000,
        **why,
    )
    EventFactory(group=group, old="ACTIVE", new="REPLACING", **why)
    EventFactory(group=group, old="REPLACING", new="RELEASED", **why)
    return group


def words(client, address):
    html = unescape(client.get(address).content.decode())
    return re.sub(r"<option.*?</option>|<[^>]+>", "", html)


@pytest.mark.parametrize("page", ["/", "/protection/", "/history/", "{group}", "{group}sent/"])
def test_on_every_page(removed, page):
    group = reverse("protection-group", args=[removed.pk])
    text = words(Client(), page.format(group=group))
    assert WORD in text
    assert "Replacing" not in text


def test_in_the_admin(removed, admin_client):
    text = words(admin_client, reverse("admin:oco_ocogroup_changelist"))
    assert "Removal requested" in text
    assert "Replacing" not in re.sub(r"By state.*", "", text, flags=re.DOTALL)


def test_a_filter_offers_only_states_that_are_stored():
    assert "REMOVAL_REQUESTED" not in Client().get("/protection/").content.decode()
