"""Taking protection away."""

from decimal import Decimal

import pytest
from django.test import Client
from django_q.models import OrmQ

from oco.models import OcoGroup
from tests.factories import GroupFactory, LegFactory, SyncRunFactory, UserFactory
from tests.portfolio.views.protection.steps import form, text

pytestmark = pytest.mark.usefixtures("bitcoin")


@pytest.fixture
def pair(bitcoin):
    group = GroupFactory(quantity=Decimal("0.01000"))
    LegFactory(group=group)
    LegFactory(group=group, order_role="TAKE_PROFIT", type="LIMIT", price=Decimal(66000), trigger_price=None)
    return group


def at(group):
    return f"/protection/{group.pk}/cancel/"


def token(answer):
    return {"token": form(answer, "")["token"]}


def asked_by():
    return OcoGroup.objects.values_list("cancel_requested_by", flat=True).get()


def test_it_names_what_is_lost(alice, pair):
    words = text(alice.get(at(pair)))
    for part in (
        "Leave 0.01000 BTC without a stop?",
        "Cancel the pair: stop 57,000.00 and take profit 66,000.00",
        "Current value, without a stop $600.00",
        "−$30.00",
        "Downside after removal No stop",
    ):
        assert part in words
    assert asked_by() == ""


def test_the_button_asks_the_worker_once(alice, pair):
    page = alice.get(at(pair))
    answers = [alice.post(at(pair), token(page)) for _ in range(2)]
    assert {answer["Location"] for answer in answers} == {f"/protection/{pair.pk}/sent/"}
    assert (asked_by(), OrmQ.objects.count()) == ("alice", 1)
    assert "Removal requested" in text(alice.get(answers[0]["Location"]))
    assert "alice has already requested this" in text(alice.get(at(pair)))


def test_it_asks_for_the_password(alice, pair, clock):
    page = alice.get(at(pair))
    clock.shift(301)
    SyncRunFactory()
    assert alice.get(at(pair))["Location"].startswith("/sudo/?next=")
    held_up = alice.post(at(pair), token(page))
    assert 'name="password"' in held_up.content.decode()
    assert asked_by() == ""


@pytest.mark.parametrize("given", [{}, {"token": "made-up"}])
def test_without_its_token_nothing_happens(alice, pair, given):
    assert "This review is not valid" in text(alice.post(at(pair), given))
    assert asked_by() == ""


def test_an_old_review_is_looked_at_again(alice, pair, clock):
    page = alice.get(at(pair))
    clock.shift(61)
    again = alice.post(at(pair), token(page))
    assert "60 seconds" in text(again)
    assert asked_by() == ""
    assert alice.post(at(pair), token(again)).status_code == 302


def test_what_changed_meanwhile_is_looked_at_again(alice, pair):
    page = alice.get(at(pair))
    OcoGroup.objects.update(state="REPLACING")
    assert "have changed since your review" in text(alice.post(at(pair), token(page)))
    assert asked_by() == ""


def test_on_old_data_nothing_is_taken_away(alice, pair, clock):
    clock.shift(200)
    page = alice.get(at(pair))
    assert "Orders are blocked until a sync succeeds" in text(page)
    assert "Cancel pair" not in text(page)
    assert "Orders are blocked" in text(alice.post(at(pair), token(page)))
    assert asked_by() == ""


def test_it_stays_possible_while_trading_is_off(alice, pair, settings):
    settings.TRADING_ENABLED = False
    assert alice.post(at(pair), token(alice.get(at(pair)))).status_code == 302
    assert asked_by() == "alice"


def test_what_has_ended_cannot_be_taken_away(alice, bitcoin):
    ended = GroupFactory(closed=True)
    assert "This protection is already closed" in text(alice.get(at(ended)))
    assert alice.post(at(ended))["Location"] == f"/protection/{ended.pk}/sent/"


def test_the_token_of_another_person_or_group_is_no_good(alice, pair):
    other, bob = GroupFactory(), Client()
    bob.force_login(UserFactory(username="bob"))
    page = alice.get(at(pair))
    bob.post(at(pair), token(page))
    alice.post(at(other), token(page))
    assert not OcoGroup.objects.exclude(cancel_requested_by="").exists()


def test_it_needs_a_login_and_its_own_form(alice, pair):
    assert Client().get(at(pair))["Location"].startswith("/login/")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = alice.cookies
    assert strict.post(at(pair), token(alice.get(at(pair)))).status_code == 403
    assert asked_by() == ""


@pytest.mark.parametrize(("environment", "violet"), [("DRY_RUN", False), ("LIVE", True)])
def test_only_real_money_is_violet(alice, pair, settings, environment, violet):
    settings.ENVIRONMENT = environment
    assert ("btn-live" in alice.get(at(pair)).content.decode()) is violet
