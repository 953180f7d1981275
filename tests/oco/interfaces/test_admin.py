"""Protection in the admin: the worried person's questions, and the few things that can be asked for."""

import re
from decimal import Decimal

import pytest
from django.test import Client

from exchange.models import AuditEntry, TradingSwitch
from oco.models import OcoGroup, ProtectionPolicy
from portfolio.models import Alert
from portfolio.security.sudo import CONFIRMED_AT_KEY
from tests.factories import (
    AlertFactory,
    AuditEntryFactory,
    BalanceFactory,
    EventFactory,
    GroupFactory,
    InstrumentFactory,
    LegFactory,
    LotFactory,
    OrderFactory,
    PolicyFactory,
    SyncRunFactory,
    TradeFactory,
    TradingSwitchFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
D = Decimal

GROUPS = "/admin/oco/ocogroup/"
ORDERS = "/admin/exchange/exchangeorder/"
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
    SyncRunFactory()
    return BalanceFactory()


def text(client, address):
    return client.get(address).content.decode()


def listed(client, query):
    return {row.pk for row in client.get(f"{GROUPS}?{query}").context["cl"].result_list}


def act(client, address, action, *rows, **more):
    asked = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    return client.post(address, asked, follow=True)


class Ways:
    """The links of a page, by their words."""

    def __init__(self, client, address):
        self.client, html = client, text(client, address)
        self.links = {words: way for way, words in re.findall(r'<a href="([^"]+)">([^<]+)</a>', html)}

    def leads(self, words):
        way = self.links[words].replace("&amp;", "&")
        return {row.pk for row in self.client.get(way).context["cl"].result_list}


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


def test_protection_is_cancelled_by_an_action_that_asks_once_more(alice):
    group, ended = GroupFactory(), GroupFactory(closed=True)
    html = act(alice, GROUPS, "cancel_protection", group, ended).content.decode()
    group.refresh_from_db()
    assert group.cancel_requested_at is None
    assert 'stop loss <data value="57000.00">' in html
    assert 'take profit <data value="66000.00">' in html
    html = act(alice, GROUPS, "cancel_protection", group, ended, sure="yes").content.decode()
    group.refresh_from_db()
    assert (group.cancel_requested_by, group.state) == ("alice", "ACTIVE")
    assert "the worker cancels its orders next" in html
    assert "is already closed" in html
    assert AuditEntry.objects.filter(what="CANCEL_PROTECTION").count() == 1


def test_an_old_session_gives_the_password_first(alice):
    group, session = GroupFactory(), alice.session
    del session[CONFIRMED_AT_KEY]
    session.save()
    answer = act(alice, GROUPS, "cancel_protection", group, sure="yes")
    group.refresh_from_db()
    assert group.cancel_requested_at is None
    assert 'name="password"' in answer.content.decode()


def test_a_group_is_found_by_any_id_of_its_own_or_of_its_orders(alice):
    leg = LegFactory(group__list_id="900")
    GroupFactory(instrument_name="ETH_USD")
    group = leg.group
    for term in (group.pk, group.entry_order_id, "900", leg.order_id, leg.client_oid, "BTC_USD"):
        assert listed(alice, f"q={term}") == {group.pk}
    assert listed(alice, "q=nothing") == set()


def test_a_group_leads_to_all_that_was_written_down_because_of_it(alice):
    leg = LegFactory(group__correlation_id="req-1")
    event = EventFactory(group=leg.group, correlation_id="run-7", order_ids=[leg.order_id])
    entry = AuditEntryFactory(correlation_id="run-7", object_ids=[str(leg.group.pk), leg.order_id])
    order = OrderFactory(order_id=leg.order_id, oco_group_id=leg.group.pk, advanced=True)
    trade = TradeFactory(order_id=leg.order_id)
    alert = AlertFactory(oco_group_id=leg.group.pk)
    for row in (EventFactory, AlertFactory, TradeFactory, OrderFactory, AuditEntryFactory):
        row()
    page = Ways(alice, f"{GROUPS}{leg.group.pk}/change/")
    assert page.leads("All of its orders") == {order.pk}
    assert page.leads("Event log") == {event.pk}
    assert page.leads("Its alerts") == {alert.pk}
    assert page.leads("The fills of its entry and its orders") == {trade.pk}
    assert page.leads("Requests and orders at that time") == page.leads("run-7") == {entry.pk}
    page = Ways(alice, f"/admin/exchange/exchangeorder/{order.pk}/change/")
    assert page.leads("Event log") == {event.pk}
    assert page.leads("Its alerts") == {alert.pk}
    assert page.leads("Requests and orders at that time") == {entry.pk}
    for lists in (f"{ORDERS}{order.pk}/change/", "/admin/oco/ocoevent/", "/admin/exchange/auditentry/"):
        assert f'href="{GROUPS}{leg.group.pk}/change/"' in text(alice, lists)


def test_orders_and_groups_lead_to_the_desk_and_back(alice):
    group, order = GroupFactory(), OrderFactory()
    for rows, desk, pk in ((GROUPS, "/protection/", group.pk), (ORDERS, "/orders/", order.pk)):
        for admin in (rows, f"{rows}{pk}/change/"):
            assert f'href="{desk}{pk}/"' in text(alice, admin)
        assert f'href="{rows}{pk}/change/"' in text(alice, f"{desk}{pk}/")


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
    assert "Kill switch turned on by alice." in html
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
    found = ProtectionPolicy.objects.values_list("side", "instrument_name", "enabled", "stop_pct")
    assert sorted(found) == [("BUY", "", True, D("5")), ("SELL", "", False, D("5"))]


def test_a_policy_for_sales_is_switched_on_and_says_what_that_means(alice, bitcoin):
    warning = "every sale of the coin for cash that Exchange Desk did not"
    assert warning in text(alice, f"{POLICIES}add/")
    html = alice.post(f"{POLICIES}add/", POLICY | {"side": "SELL"}, follow=True).content.decode()
    assert warning in html
    assert ProtectionPolicy.objects.get(side="SELL", instrument_name="BTC_USD").enabled


def test_so_is_the_one_for_every_other_instrument_and_off_again_it_is_quiet(alice, bitcoin):
    policy = PolicyFactory(side="SELL", enabled=False)
    page = f"{POLICIES}{policy.pk}/change/"
    assert "orders that BUY" in text(alice, page)
    alice.post(page, POLICY, follow=True)
    policy.refresh_from_db()
    assert policy.enabled
    off = {name: value for name, value in POLICY.items() if name != "enabled"}
    assert "orders that BUY" not in alice.post(page, off, follow=True).content.decode()


def test_a_policy_for_sales_shows_what_selling_now_would_lead_to(alice, bitcoin):
    """0.1 BTC at 60,000 bring 5,970 after the fee; the stop pays 64,890 at most, with the fee 65,214.45 a coin."""
    BalanceFactory(currency="USD", quantity=D(5), price_usd=D(1))
    html = text(alice, f"{POLICIES}{PolicyFactory(side='SELL', enabled=False).pk}/change/")
    assert (
        "BTC_USD: 0.10000 held at 60,000.00. Had it just been sold, 0.09154 of it would be bought back: stop 63,000.00 "
        "above, take profit 54,000.00 below. At the stop that costs $274.62 more than the sale brought for them, "
        "$477.33 at most" in html
    )
    assert "Down to the stop" not in html


def test_what_is_too_little_or_sold_for_no_cash_is_not_bought_back(alice, bitcoin):
    InstrumentFactory(symbol="ETH_BTC")
    BalanceFactory(currency="ETH", quantity=D(1), price_usd=D(3000))
    bitcoin.quantity = D("0.00001")
    bitcoin.save()
    html = text(alice, f"{POLICIES}{PolicyFactory(side='SELL').pk}/change/")
    assert "BTC_USD: 0.00001 held at 60,000.00. What selling it brings is too little for an order" in html
    assert "ETH_BTC" not in html


def test_switched_off_it_is_kept_beside_the_one_for_buys(alice, bitcoin):
    asked = {name: value for name, value in POLICY.items() if name != "enabled"}
    alice.post(f"{POLICIES}add/", POLICY)
    alice.post(f"{POLICIES}add/", asked | {"side": "SELL"})
    assert sorted(map(str, ProtectionPolicy.objects.all())) == ["BTC_USD", "BTC_USD, sold"]


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
        ("stop_pct", "1e999", "Enter a number"),
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


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("stop_pct", "0", "The stop lies above what the sale brought: more than 0"),
        ("stop_pct", "99.5", "Between 0.1 and 99"),
        ("target_pct", "-1", "The take profit lies below what the sale brought: more than 0"),
        ("target_pct", "90", "less than 90"),
        ("target_pct", "0.01", "At least 0.1"),
        ("distance_pct", "8", "Less than the stop"),
    ],
)
def test_one_for_sales_explains_itself_too(alice, bitcoin, field, value, words):
    html = alice.post(f"{POLICIES}add/", POLICY | {"side": "SELL", field: value}).content.decode()
    assert words in html
    assert not ProtectionPolicy.objects.exists()


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
    assert "BTC_USD: 0.10000 held at 60,000.00. Stop 57,000.00, take profit 66,000.00" in html
    assert "Down to the stop it loses $300.00." in html


def test_each_coin_falls_under_one_policy(alice, bitcoin):
    own, rest = PolicyFactory(instrument_name="BTC_USD", stop_pct=D(50), target_pct=None), PolicyFactory()
    InstrumentFactory(symbol="ETH_USD")
    BalanceFactory(currency="ETH", quantity=D("0.0001"), price_usd=D(3000))
    BalanceFactory(currency="USD", quantity=D(5), price_usd=D(1))
    html = text(alice, f"{POLICIES}{own.pk}/change/")
    assert "Stop 30,000.00, take profit none" in html
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
        "0.06000",
        "57000.00",
        "66000.00",
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
    assert "Only 0.10000 BTC available" in html
    assert "would sell immediately" in alice.post(PROTECT, asked | {"stop_price": "60000"}).content.decode()
    assert "Enter a number" in alice.post(PROTECT, asked | {"stop_price": "1e999999"}).content.decode()
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


def test_a_price_is_not_rounded_to_cents(alice, bitcoin):
    bitcoin.price_usd = D("0.9962")
    bitcoin.save()
    assert "at 0.9962\N{NO-BREAK SPACE}USD each" in re.sub(r"<[^>]+>", "", text(alice, PROTECT))
