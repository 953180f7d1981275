"""Protection in the admin: the worried person's questions, and the few things that can be asked for."""

import re
from decimal import Decimal

import pytest
from django.test import Client

from exchange.models import TradingSwitch
from oco.models import OcoGroup, ProtectionPolicy
from portfolio.models import Alert
from tests.factories import (
    AlertFactory,
    BalanceFactory,
    EventFactory,
    GroupFactory,
    InstrumentFactory,
    LegFactory,
    LotFactory,
    OrderFactory,
    PolicyFactory,
    TradingSwitchFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
D = Decimal

GROUPS = "/admin/oco/ocogroup/"
POLICIES = "/admin/oco/protectionpolicy/"
SWITCH = "/admin/exchange/tradingswitch/"
PROTECT = "/admin/portfolio/balance/BTC/protect/"
POLICY = {
    "instrument_name": "BTC_USD",
    "side": "BUY",
    "enabled": "on",
    "stop_pct": "8",
    "target_pct": "20",
    "on_breach": "EXIT",
    "on_hand_cancel": "RESPECT",
    "distance_pct": "0.5",
    "minimum_value_usd": "0",
}


@pytest.fixture
def helper() -> Client:
    """May look at everything and change nothing."""
    client = Client()
    client.force_login(UserFactory(username="bob", is_superuser=False))
    return client


@pytest.fixture
def bitcoin():
    InstrumentFactory()
    return BalanceFactory()


def text(client, address):
    return client.get(address).content.decode()


def listed(client, query):
    return {row.pk for row in client.get(f"{GROUPS}?{query}").context["cl"].result_list}


def act(client, address, action, *rows):
    return client.post(address, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


@pytest.mark.parametrize(
    ("query", "states"),
    [
        ("danger=unprotected", {"PENDING", "REPLACING", "EXITING", "STOP_FAILED", "UNKNOWN"}),
        ("danger=unknown", {"UNKNOWN"}),
        ("danger=stop-failed", {"STOP_FAILED"}),
        ("state__exact=ACTIVE", {"ACTIVE"}),
        ("instrument_name=ETH_USD", set()),
    ],
)
def test_the_lists_answer_what_is_in_danger(alice, query, states):
    names = ("PENDING", "ACTIVE", "REPLACING", "EXITING", "STOP_FAILED", "UNKNOWN")
    groups = {state: GroupFactory(state=state) for state in names}
    GroupFactory(closed=True)
    assert listed(alice, query) == {groups[state].pk for state in states}


def test_a_group_shows_its_orders_and_its_journal_in_order(alice):
    leg = LegFactory()
    LegFactory(group=leg.group, generation=2)
    EventFactory(group=leg.group, old="", new="PENDING", reason="Bought.")
    EventFactory(group=leg.group, reason="Read back.")
    order = OrderFactory(order_id=leg.order_id, advanced=True)
    html = text(alice, f"{GROUPS}{leg.group.pk}/change/")
    assert html.index("Bought.") < html.index("Read back.")
    link = re.search(rf'href="([^"]+)">{leg.order_id}<', html)
    assert link
    found = alice.get(link[1]).context["cl"].result_list
    assert [row.pk for row in found] == [order.pk]


def test_protection_is_cancelled_by_an_action(alice):
    group, ended = GroupFactory(), GroupFactory(closed=True)
    html = act(alice, GROUPS, "cancel_protection", group, ended).content.decode()
    group.refresh_from_db()
    assert (group.cancel_requested_by, group.state) == ("alice", "ACTIVE")
    assert "the worker cancels its orders next" in html
    assert "has ended already" in html


def test_who_may_only_look_cannot_act(helper):
    group = GroupFactory()
    act(helper, GROUPS, "cancel_protection", group)
    assert helper.post(f"{SWITCH}turn/", {"to": "off"}).status_code == 403
    BalanceFactory()
    assert helper.get(PROTECT).status_code == 403
    group.refresh_from_db()
    assert (group.cancel_requested_at, TradingSwitch.objects.count()) == (None, 0)


def test_trading_is_switched_off_and_on_by_a_button(alice):
    assert "Trading is on." in text(alice, SWITCH)
    html = alice.post(f"{SWITCH}turn/", {"to": "off", "reason": "holiday"}, follow=True).content.decode()
    switch = TradingSwitch.objects.get()
    assert (switch.is_off, switch.changed_by, switch.reason) == (True, "alice", "holiday")
    assert "The kill switch is on, set by alice." in html
    alice.post(f"{SWITCH}turn/", {"to": "on"})
    assert not TradingSwitch.objects.get().is_off


def test_looking_turns_nothing(alice):
    TradingSwitchFactory()
    assert alice.get(f"{SWITCH}turn/").status_code == 405
    assert TradingSwitch.objects.get().is_off


def test_a_word_that_is_not_on_switches_off(alice):
    alice.post(f"{SWITCH}turn/")
    assert TradingSwitch.objects.get().is_off


def test_the_policy_for_everything_else_is_there_from_the_start(alice):
    alice.get(POLICIES)
    assert ProtectionPolicy.objects.get().stop_pct == D("5")


def test_a_policy_is_added_and_changed(alice, bitcoin):
    alice.post(f"{POLICIES}add/", POLICY)
    policy = ProtectionPolicy.objects.get()
    alice.post(f"{POLICIES}{policy.pk}/change/", POLICY | {"stop_pct": "7.5", "target_pct": ""})
    policy.refresh_from_db()
    assert (policy.instrument_name, policy.stop_pct, policy.target_pct) == ("BTC_USD", D("7.5"), None)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("stop_pct", "0", "more than 0 and less than 100"),
        ("stop_pct", "100", "more than 0 and less than 100"),
        ("stop_pct", "1e999", "less than 100"),
        ("stop_pct", "NaN", "Enter a number"),
        ("stop_pct", "99.5", "Between 0.1 and 99"),
        ("target_pct", "0", "more than 0"),
        ("target_pct", "-5", "more than 0"),
        ("target_pct", "901", "Between 0.1 and 900"),
        ("distance_pct", "8", "Less than the stop"),
        ("instrument_name", "XYZ_USD", "not a spot pair of the exchange"),
        ("instrument_name", "", "There is a policy for every other instrument already"),
    ],
)
def test_a_policy_that_makes_no_sense_explains_itself(alice, bitcoin, field, value, words):
    PolicyFactory()
    html = alice.post(f"{POLICIES}add/", POLICY | {field: value}).content.decode()
    assert words in html
    assert ProtectionPolicy.objects.count() == 1


def test_a_second_policy_for_an_instrument_is_refused(alice, bitcoin):
    PolicyFactory(instrument_name="BTC_USD")
    html = alice.post(f"{POLICIES}add/", POLICY).content.decode()
    assert "There is a policy for BTC_USD already: change that one." in html


def test_the_policy_for_everything_else_stays_that(alice, bitcoin):
    policy = PolicyFactory()
    alice.post(f"{POLICIES}{policy.pk}/change/", POLICY)
    policy.refresh_from_db()
    assert (policy.instrument_name, policy.stop_pct) == ("", D("8"))
    assert alice.post(f"{POLICIES}{policy.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_policy_shows_what_it_would_mean_for_what_is_held(alice, bitcoin):
    policy = PolicyFactory()
    html = text(alice, f"{POLICIES}{policy.pk}/change/")
    assert "BTC_USD: 0.10000 held at 60000.00. Stop 57000.00, target 66000.00" in html
    assert "Down to the stop it loses $300.00." in html


def test_each_coin_falls_under_one_policy(alice, bitcoin):
    own, rest = PolicyFactory(instrument_name="BTC_USD", stop_pct=D(50), target_pct=None), PolicyFactory()
    InstrumentFactory(symbol="ETH_USD")
    BalanceFactory(currency="ETH", quantity=D("0.0001"), price_usd=D(3000))
    BalanceFactory(currency="USD", quantity=D(5), price_usd=D(1))
    html = text(alice, f"{POLICIES}{own.pk}/change/")
    assert "Stop 30000.00, target none" in html
    assert "ETH_USD" not in html
    html = text(alice, f"{POLICIES}{rest.pk}/change/")
    assert "BTC_USD" not in html
    assert "Too little" in html


def test_a_held_position_is_protected_through_a_form(alice, bitcoin):
    LotFactory(bought=D("0.04"))
    answer = act(alice, "/admin/portfolio/balance/", "protect_held", bitcoin)
    assert answer.redirect_chain[-1][0] == PROTECT
    form = answer.context["form"]
    shown = {name: form[name].value() for name in ("quantity", "stop_price", "take_profit_price", "key")}
    assert [shown[name] for name in ("quantity", "stop_price", "take_profit_price")] == [
        D("0.06000"),
        D("57000.00"),
        D("66000.00"),
    ]
    for _ in range(2):
        alice.post(PROTECT, shown | {"instrument_name": "BTC_USD", "stop_price": "56000.00"})
    group = OcoGroup.objects.get()
    assert (group.quantity, group.stop_price, group.requested_by) == (D("0.06000"), D("56000.00"), "alice")


def test_a_form_that_cannot_be_followed_says_why(alice, bitcoin):
    asked = {
        "instrument_name": "BTC_USD",
        "quantity": "0.2",
        "stop_price": "56000.001",
        "key": "6f9f6b0e-6d8c-4b53-8f6b-0d5b1f0f2a11",
    }
    assert "multiple of 0.01" in alice.post(PROTECT, asked).content.decode()
    html = alice.post(PROTECT, asked | {"stop_price": "56000"}).content.decode()
    assert "have no protection yet" in html
    assert "digits" in alice.post(PROTECT, asked | {"stop_price": "1e999999"}).content.decode()
    assert not OcoGroup.objects.exists()


def test_two_positions_are_not_protected_with_one_form(alice, bitcoin):
    html = act(alice, "/admin/portfolio/balance/", "protect_held", bitcoin, BalanceFactory(currency="ETH"))
    assert "Choose one position" in html.content.decode()


def test_an_alert_is_acknowledged_once(alice):
    alert = AlertFactory()
    for _ in range(2):
        act(alice, "/admin/portfolio/alert/", "acknowledge", alert)
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.state) == ("alice", Alert.State.DUE)
    assert alice.get("/admin/portfolio/alert/?seen=no").context["cl"].result_count == 0
