"""Protection over HTTP: who may ask for what, and what is answered."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oco.models import OcoGroup
from tests.factories import (
    BalanceFactory,
    EventFactory,
    GroupFactory,
    InstrumentFactory,
    LegFactory,
    LotFactory,
    OrderFactory,
    SyncRunFactory,
    TradingSwitchFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

GROUPS = "/api/oco-groups/"
KEYS = [
    "oco_group_id", "instrument_name", "state", "link", "quantity", "entry_price", "stop_price",
    "take_profit_price", "entry_order_id", "legs", "created_at", "closed_at", "reason",
    "reason_code", "reason_params", "exchange_code",
]  # fmt: skip
LEG_KEYS = [
    "order_role", "order_id", "client_oid", "status", "trigger_price", "price", "quantity", "filled_quantity",
]  # fmt: skip
ASKED = {
    "instrument_name": "BTC_USD",
    "quantity": "0.05000",
    "stop_price": "55000.00",
    "take_profit_price": "70000.00",
}


@pytest.fixture
def bitcoin():
    """A tenth of a bitcoin is held at 60,000 USD, read five seconds ago."""
    InstrumentFactory()
    SyncRunFactory()
    BalanceFactory()


def ask(client, headers=None, **changes):
    body = {name: value for name, value in (ASKED | changes).items() if value != "left out"}
    return client.post(GROUPS, body, content_type="application/json", headers=headers or {})


def test_a_request_while_trading_is_off_is_refused_as_on_the_page(bitcoin, alice):
    first = ask(alice, {"Idempotency-Key": "k"})
    switch = TradingSwitchFactory()
    answer = ask(alice, quantity="0.01000")
    why = f"Trading is off, so no order can be placed. Kill switch turned on by {switch.changed_by}."
    assert (answer.status_code, answer.json()) == (409, {"detail": why})
    spanish = ask(alice, {"accept-language": "es"}, quantity="0.01000").json()["detail"]
    assert spanish.startswith("El trading está desactivado")
    assert ask(alice, {"Idempotency-Key": "k"}).json()["oco_group_id"] == first.json()["oco_group_id"]
    assert OcoGroup.objects.count() == 1


def test_groups_are_listed_the_newest_first_with_every_key_of_the_contract():
    older = GroupFactory(created_at=timezone.now() - timedelta(days=3), closed=True)
    newer = LegFactory().group
    rows = Client().get(GROUPS).json()["results"]
    assert [row["oco_group_id"] for row in rows] == [str(newer.pk), str(older.pk)]
    assert (list(rows[0]), list(rows[0]["legs"][0])) == (KEYS, LEG_KEYS)
    assert (rows[0]["stop_price"], rows[1]["legs"], rows[0]["closed_at"]) == ("57000.00", [], None)
    assert rows[0]["created_at"].endswith("Z")


@pytest.mark.parametrize(
    ("status", "closed", "told"),
    [
        ("OPEN", False, "66300.00"),
        ("FILLED", True, "66300.00"),
        ("CANCELED", True, "66300.00"),
        ("CANCELED", False, "66000.00"),
        ("REFUSED", True, "66000.00"),
    ],
)
def test_a_target_that_was_moved_is_told_as_it_was_placed(status, closed, told):
    group = GroupFactory(closed=closed)
    LegFactory(group=group, order_role="TAKE_PROFIT", type="LIMIT", price=Decimal("66300.00"), status=status)
    (row,) = Client().get(GROUPS).json()["results"]
    assert row["take_profit_price"] == told


def test_a_group_is_that_of_the_dashboard():
    LegFactory()
    (row,) = Client().get(GROUPS).json()["results"]
    assert Client().get("/api/dashboard/state").json()["oco_groups"] == [row]


@pytest.mark.parametrize(("name", "value"), [("state", "STOP_FAILED"), ("instrument_name", "ETH_USD")])
def test_a_filter_keeps_what_was_asked_for(name, value):
    wanted = GroupFactory(**{name: value})
    GroupFactory()
    rows = Client().get(GROUPS, {name: value}).json()["results"]
    assert [row["oco_group_id"] for row in rows] == [str(wanted.pk)]


def test_a_filter_that_makes_no_sense_is_named():
    answer = Client().get(GROUPS, {"state": "FINE"})
    assert (answer.status_code, list(answer.json())) == (400, ["state"])


def test_pages_follow_each_other_without_a_gap():
    now = timezone.now()
    groups = {str(GroupFactory(created_at=now).pk) for _ in range(5)}
    page = Client().get(GROUPS, {"page_size": 2}).json()
    seen = [row["oco_group_id"] for row in page["results"]]
    while page["next"]:
        page = Client().get(page["next"]).json()
        seen += [row["oco_group_id"] for row in page["results"]]
    assert (len(seen), set(seen)) == (5, groups)


@pytest.mark.parametrize("groups", [3, 30])
def test_a_page_takes_two_queries_however_full_it_is(groups):
    for _ in range(groups):
        LegFactory()
    with CaptureQueriesContext(connection) as queries:
        assert len(Client().get(GROUPS).json()["results"]) == groups
    assert len(queries) == 2


def test_one_group_tells_its_legs_and_its_journal_in_order():
    group = GroupFactory()
    stop = LegFactory(group=group)
    LegFactory(group=group, order_role="TAKE_PROFIT", type="LIMIT", price=Decimal("66000.00"))
    LegFactory(group=group, generation=0, status="CANCELED")
    EventFactory(group=group, at=timezone.now() - timedelta(hours=1), old="", new="PENDING", order_ids=[])
    EventFactory(group=group, code=306)
    row = Client().get(f"{GROUPS}{group.pk}/").json()
    assert list(row) == [*KEYS, "events"]
    assert [leg["order_role"] for leg in row["legs"]] == ["STOP_LOSS", "TAKE_PROFIT"]
    assert row["legs"][0]["order_id"] == stop.order_id
    assert [event["new"] for event in row["events"]] == ["PENDING", "ACTIVE"]
    assert row["events"][1] | {"at": ""} == {
        "at": "",
        "old": "PENDING",
        "new": "ACTIVE",
        "reason": "Stop and take profit confirmed open on the exchange. Exchange code 306: not enough available "
        "balance. Free some balance or make the order smaller.",
        "order_ids": ["61", "62"],
        "code": 306,
        "reason_code": "CONFIRMED_OPEN",
        "reason_params": {},
        "exchange_code": 306,
    }


@pytest.mark.parametrize("address", [f"{GROUPS}00000000-0000-4000-8000-000000000007/", f"{GROUPS}7/"])
def test_a_group_that_is_not_there_is_a_404_in_json(address):
    answer = Client().get(address)
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])


def test_asking_writes_it_down_for_the_worker(alice, bitcoin):
    answer = ask(alice)
    group = OcoGroup.objects.get()
    assert (answer.status_code, answer.json()["oco_group_id"]) == (202, str(group.pk))
    assert (group.state, group.requested_by) == ("PENDING", "alice")
    assert (group.lot.bought, group.stop_price, group.take_profit_price) == (
        Decimal("0.05000"),
        Decimal("55000.00"),
        Decimal("70000.00"),
    )


def test_without_a_target_it_is_a_stop_alone_but_that_must_be_said(alice, bitcoin):
    assert list(ask(alice, take_profit_price="left out").json()) == ["take_profit_price"]
    assert ask(alice, take_profit_price=None).status_code == 202
    assert OcoGroup.objects.get().take_profit_price is None


@pytest.mark.parametrize(
    "number", [0.05, 1, True, "NaN", "Infinity", "-0.05", "5e-2", "1" * 30, "0.05 ", "", "abc", [], None]
)
def test_a_number_that_is_none_is_refused_by_name(alice, bitcoin, number):
    answer = ask(alice, quantity=number)
    assert (answer.status_code, list(answer.json())) == (400, ["quantity"])
    assert not OcoGroup.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("instrument_name", "XYZ_USD", "not a tradable spot pair"),
        ("quantity", "0.000001", "multiple of 0.00001"),
        ("quantity", "0.00000", "positive"),
        ("quantity", "0.10001", "Only 0.10000 BTC available"),
        ("quantity", "0.00001", "minimum order on the exchange is 1 USD"),
        ("stop_price", "55000.001", "multiple of 0.01"),
        ("take_profit_price", "54000.00", "above the stop"),
        (
            "stop_price",
            "60000.00",
            ("The current price is 60000.00. A stop at or above it would sell immediately."),
        ),
        ("stop_price", "59800.00", "a stop less than 0.5 % below it cannot have a take profit"),
        (
            "take_profit_price",
            "60000.00",
            ("The current price is 60000.00. The take profit must be above it."),
        ),
        ("take_profit_price", "600000.01", "no take profit above ten times"),
    ],
)
def test_what_cannot_be_done_is_explained_at_its_field(alice, bitcoin, field, value, words):
    answer = ask(alice, **{field: value})
    assert answer.status_code == 400
    assert words in answer.json()[field][0]


def test_coins_that_are_protected_already_are_not_protected_twice(alice, bitcoin):
    LotFactory(bought=Decimal("0.06"))
    assert "Only 0.04000 BTC" in ask(alice).json()["quantity"][0]


def test_coins_behind_an_order_of_others_are_not_free(alice, bitcoin):
    OrderFactory(side="SELL", quantity=Decimal("0.06"), price=Decimal(70000))
    assert "Only 0.04000 BTC" in ask(alice).json()["quantity"][0]


def test_without_a_price_nothing_is_weighed(alice, bitcoin):
    BalanceFactory._meta.model.objects.update(price_usd=None)
    assert "Its price is unknown" in ask(alice).json()["detail"][0]


@pytest.mark.parametrize(("age", "words"), [(190, "Orders are blocked until a sync"), (None, "No data read")])
def test_old_data_blocks_it_as_it_blocks_the_page(alice, age, words):
    InstrumentFactory()
    BalanceFactory()
    if age:
        SyncRunFactory(age=age)
    assert words in ask(alice).json()["detail"][0]
    assert not OcoGroup.objects.exists()


def test_the_same_key_is_the_same_group(alice, bitcoin):
    first, second = (ask(alice, {"Idempotency-Key": "one"}) for _ in range(2))
    assert (first.status_code, second.status_code, first.json()) == (202, 202, second.json())
    assert OcoGroup.objects.count() == 1


def test_the_same_key_for_something_else_is_a_conflict(alice, bitcoin):
    ask(alice, {"Idempotency-Key": "one"})
    bob = Client()
    bob.force_login(UserFactory(username="bob"))
    for answer in (
        ask(alice, {"Idempotency-Key": "one"}, stop_price="54000.00"),
        ask(bob, {"Idempotency-Key": "one"}),
    ):
        assert (answer.status_code, list(answer.json())) == (409, ["detail"])
    assert OcoGroup.objects.count() == 1


def test_two_at_once_with_one_key_are_one_group(alice, bitcoin, monkeypatch):
    ask(alice, {"Idempotency-Key": "one"})
    known = OcoGroup.objects.filter

    class Late:
        """The first look comes too early, as in a race."""

        looks = 0

        def __call__(self, *args, **kwargs):
            late = "idempotency_key" in kwargs and not self.looks
            self.looks += late
            return known(pk=uuid4()) if late else known(*args, **kwargs)

    monkeypatch.setattr(OcoGroup.objects, "filter", Late())
    assert ask(alice, {"Idempotency-Key": "one"}).status_code == 202
    monkeypatch.undo()
    assert OcoGroup.objects.count() == 1


@pytest.mark.parametrize("key", ["k" * 129, "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(alice, bitcoin, key):
    assert ask(alice, {"Idempotency-Key": key}).status_code == 400


def test_cancelling_writes_it_down_and_asking_twice_changes_nothing(alice):
    group = LegFactory().group
    for _ in range(2):
        answer = alice.post(f"{GROUPS}{group.pk}/cancel/")
        assert (answer.status_code, answer.json()["oco_group_id"]) == (202, str(group.pk))
    group.refresh_from_db()
    assert (group.state, group.cancel_requested_by, group.events.count()) == ("ACTIVE", "alice", 1)


def test_what_has_ended_cannot_be_cancelled(alice):
    group = GroupFactory(closed=True)
    answer = alice.post(f"{GROUPS}{group.pk}/cancel/")
    assert (answer.status_code, list(answer.json())) == (409, ["detail"])
    assert alice.post(f"{GROUPS}00000000-0000-4000-8000-000000000007/cancel/").status_code == 404


def addresses():
    return [GROUPS, f"{GROUPS}{GroupFactory().pk}/cancel/"]


@pytest.mark.parametrize("public", ["true", "loopback", "false"])
def test_whoever_changes_something_has_to_log_in(settings, bitcoin, public):
    settings.DASHBOARD_PUBLIC = public
    for address in addresses():
        answer = Client().post(address, ASKED, content_type="application/json")
        assert (answer.status_code, list(answer.json())) == (401, ["detail"])
    assert not OcoGroup.objects.exclude(cancel_requested_at=None, requested_by="").exists()


def test_a_request_from_another_site_is_refused(bitcoin):
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory())
    assert [
        client.post(address, ASKED, content_type="application/json").status_code for address in addresses()
    ] == [
        403,
        403,
    ]


def test_reading_is_as_public_as_the_dashboard(settings):
    settings.DASHBOARD_PUBLIC = "false"
    for address in (GROUPS, f"{GROUPS}{GroupFactory().pk}/"):
        assert Client().get(address).status_code == 401


def test_what_was_asked_is_done_in_the_next_cycle(desk, world, alice):
    world.deposit("BTC", "0.05")
    desk.sync_ok()
    price = world.price("BTC_USD")
    low, high = (f"{price * Decimal(ratio):.2f}" for ratio in ("0.9", "1.1"))
    group = ask(alice, stop_price=low, take_profit_price=high).json()["oco_group_id"]
    desk.sync_ok()
    row = alice.get(f"{GROUPS}{group}/").json()
    assert (row["state"], [leg["status"] for leg in row["legs"]]) == ("ACTIVE", ["OPEN", "OPEN"])
    alice.post(f"{GROUPS}{group}/cancel/")
    desk.sync_ok()
    assert (alice.get(f"{GROUPS}{group}/").json()["state"], world.open_orders()) == ("RELEASED", [])
