"""The state and the dashboard are kept until a revision changes, and are then what they would be without that."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client

from exchange.services.kill_switch_file import file_clear, file_set
from exchange.services.permissions import groups_create_missing
from portfolio.api.state import forget_states
from portfolio.models import Balance
from portfolio.status.kept import Kept, Made
from portfolio.views.dashboard import forget_pages
from tests.factories import (
    AlertFactory,
    ApiTokenFactory,
    BalanceFactory,
    GroupFactory,
    HeartbeatFactory,
    InstrumentFactory,
    LegFactory,
    OrderFactory,
    QuoteFactory,
    SignalFactory,
    SnapshotFactory,
    SyncRunFactory,
    TradingSwitchFactory,
    UserFactory,
    WatchFactory,
)
from tests.support import queries, utc

pytestmark = pytest.mark.django_db

STATE = "/api/dashboard/state"
EVENING = utc("2026-05-01 23:50")
CSRF = re.compile(r'(name="csrfmiddlewaretoken" value=")\w+')


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(EVENING, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def account(clock):
    InstrumentFactory()
    BalanceFactory()
    HeartbeatFactory(name="worker")
    HeartbeatFactory(name="signals")
    SyncRunFactory()
    SnapshotFactory()
    LegFactory()
    GroupFactory(closed=True)
    OrderFactory()
    OrderFactory(filled=True)
    WatchFactory()
    QuoteFactory()
    SignalFactory()
    AlertFactory()


def forget():
    forget_states()
    forget_pages()


def text(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    return CSRF.sub(r"\1", answer.content.decode())


CHANGES = {
    "an order": OrderFactory,
    "a group": LegFactory,
    "a balance": lambda: Balance.objects.update(quantity=3),
    "a balance by sync": lambda: Balance.objects.bulk_update([changed_balance()], ["price_usd"]),
    "a cycle": lambda: SyncRunFactory(age=1),
    "a cycle that failed": lambda: SyncRunFactory(failed=True),
    "a signal": lambda: SignalFactory(instrument_name="ETH_USD"),
    "the watchlist": lambda: WatchFactory(instrument_name="ETH_USD"),
    "the kill switch": TradingSwitchFactory,
    "the kill switch as a file": lambda: file_set(name="alice"),
    "no file any more": file_clear,
}


def changed_balance():
    balance = Balance.objects.get()
    balance.price_usd = 7
    return balance


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("address", [STATE, "/"])
def test_a_change_is_in_the_next_answer(change, address):
    if change is file_clear:
        file_set(name="alice")
    client = Client()
    before = text(client, address)
    change()
    after = text(client, address)
    forget()
    assert before != after == text(client, address)


@pytest.mark.parametrize(
    "later",
    [
        timedelta(seconds=5),
        timedelta(seconds=16),
        timedelta(seconds=91),
        timedelta(minutes=5),
        timedelta(minutes=11),
        timedelta(hours=1),
        timedelta(hours=23, minutes=54, seconds=59),
        timedelta(hours=23, minutes=55),
        timedelta(hours=25),
        timedelta(days=400),
        -timedelta(hours=1),
    ],
    ids=str,
)
@pytest.mark.parametrize("address", [STATE, "/", "/?range=1d"])
def test_time_passes_in_a_kept_answer(clock, address, later):
    client = Client()
    text(client, address)
    clock.move_to(EVENING + later)
    kept = text(client, address)
    forget()
    assert kept == text(client, address)


def test_a_signal_is_old_at_the_first_moment_at_which_it_is(clock):
    client = Client()
    ends = utc("2026-05-02 00:15")  # the hour from 22:00, two hours, and the delay that is allowed
    for moment, known in ((ends - timedelta(seconds=1), 1), (ends, 1), (ends + timedelta(microseconds=1), 0)):
        clock.move_to(moment)
        kept = client.get(STATE).json()["signals"]
        forget()
        assert kept == client.get(STATE).json()["signals"]
        assert len(kept) == known


def test_a_kept_state_is_one_query_and_so_is_304():
    client = Client()
    etag = client.get(STATE)["ETag"]
    with queries() as asked:
        assert client.get(STATE).status_code == 200
    assert len(asked) == 1
    with queries() as asked:
        answer = client.get(STATE, headers={"if-none-match": etag})
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)
    assert len(asked) == 1


def test_304_is_only_while_nothing_but_the_time_differs(clock):
    client = Client()
    etag = client.get(STATE)["ETag"]
    clock.shift(20)
    assert client.get(STATE, headers={"if-none-match": etag}).status_code == 304
    for happens in (OrderFactory, lambda: clock.shift(100), lambda: file_set(name="alice")):
        happens()
        answer = client.get(STATE, headers={"if-none-match": etag})
        assert (answer.status_code, answer["ETag"] != etag) == (200, True)
        etag = answer["ETag"]


def test_304_is_for_those_who_may_read(settings):
    client = Client()
    etag = client.get(STATE)["ETag"]
    settings.DASHBOARD_PUBLIC = "false"
    answer = client.get(STATE, headers={"if-none-match": etag})
    assert (answer.status_code, "ETag" in answer) == (401, False)
    token = ApiTokenFactory()
    headers = {"if-none-match": etag, "authorization": f"Token {token.text}"}
    assert client.get(STATE, headers=headers).status_code == 304


def test_another_language_is_another_answer():
    TradingSwitchFactory()
    client = Client()
    english, spanish = ({"accept-language": language} for language in ("en", "es"))
    first = client.get(STATE, headers=english)
    answer = client.get(STATE, headers={**spanish, "if-none-match": first["ETag"]})
    assert answer.status_code == 200
    assert answer.json()["trading"]["reason"] != first.json()["trading"]["reason"]
    assert answer.json()["signals"][0]["reason"] != first.json()["signals"][0]["reason"]


def visitors():
    groups_create_missing()
    yield Client()
    for name in ("viewer", "trader", "owner"):
        user = UserFactory(username=name, is_staff=False, is_superuser=False)
        user.groups.add(Group.objects.get(name=name))
        yield logged_in(user)
    yield logged_in(UserFactory())


def logged_in(user):
    client = Client()
    client.force_login(user)
    return client


def test_nothing_of_one_person_reaches_another():
    clients = list(visitors())
    clients += [chosen(client, amounts="hidden") for client in visitors()]
    clients += [chosen(client, django_language="es") for client in visitors()]
    kept = []
    for _ in range(2):
        kept = [text(client, "/") for client in clients]
    alone = []
    for client in clients:
        forget()
        alone.append(text(client, "/"))
    assert kept == alone
    assert len(set(kept)) == len(clients)


def chosen(client, **cookies):
    client.cookies.load(cookies)
    return client


def test_a_right_that_is_taken_is_gone_from_the_page():
    user = UserFactory(username="bob", is_staff=False, is_superuser=False)
    groups_create_missing()
    user.groups.add(Group.objects.get(name="trader"))
    client = logged_in(user)
    BalanceFactory(currency="ETH")
    InstrumentFactory(symbol="ETH_USD", base_ccy="ETH")
    link = 'href="/protection/protect/'
    assert link in text(client, "/")
    user.groups.set([Group.objects.get(name="viewer")])
    assert link not in text(client, "/")


def test_a_kept_page_takes_one_query_for_a_stranger():
    client = Client()
    text(client, "/")
    with queries() as asked:
        text(client, "/")
    assert len(asked) == 1  # the revisions


class TestKept:
    NOW = EVENING

    def get(self, kept, key="a", *, version=1, now=EVENING, value="made", until=EVENING + timedelta(hours=1)):
        return kept.get(key, version=version, now=now, make=lambda: Made(value, until))

    def test_it_makes_once(self):
        kept = Kept(most=2)
        assert [self.get(kept, value=value) for value in "xy"] == ["x", "x"]

    def test_another_version_another_key_and_a_later_time_are_made(self):
        kept = Kept(most=2)
        self.get(kept, value="old")
        assert self.get(kept, version=2, value="new") == "new"
        assert self.get(kept, "b", version=2, value="other") == "other"
        assert self.get(kept, version=2, now=EVENING + timedelta(hours=1), value="later") == "later"
        assert self.get(kept, "b", version=2, now=EVENING - timedelta(hours=1), value="back") == "back"

    def test_without_a_version_or_an_end_nothing_is_kept(self):
        kept = Kept(most=2)
        assert [self.get(kept, version=None, value=value) for value in "xy"] == ["x", "y"]
        assert [self.get(kept, until=None, value=value) for value in "xy"] == ["x", "y"]

    def test_the_oldest_of_too_many_goes(self):
        kept = Kept(most=2)
        for key in "abc":
            self.get(kept, key, value=key)
        assert [self.get(kept, key, value="made again") for key in "bca"] == ["b", "c", "made again"]

    def test_what_cannot_be_made_leaves_no_lock_behind(self):
        kept = Kept(most=2)
        with pytest.raises(ZeroDivisionError):
            kept.get("a", version=1, now=EVENING, make=lambda: 1 / 0)
        assert self.get(kept) == "made"
