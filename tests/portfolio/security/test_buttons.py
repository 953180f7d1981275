"""No page shows a button or a link that its user may not use, and what cannot work now says why."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.utils import timezone

from exchange.services.kill_switch_file import file_clear
from exchange.services.permissions import GROUPS, REFUSALS, Right, groups_create_missing
from oco.policies import policies_read
from oco.services.kill_switch import stop_trading
from portfolio.alerts.system_checks import TRADING
from portfolio.models import Alert
from portfolio.security.sudo import CONFIRMED_AT_KEY
from portfolio.status.sync_status import KEY_CONDITIONS
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
ROLES = ["viewer", "trader", "owner"]
SKIPPED = re.compile(r"^/(static|admin/(jsi18n|password_change|logout|.*/history))|format=csv|^/api/schema")


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[dict[str, str]] = field(default_factory=list)


class Forms(HTMLParser):
    """The POST forms of a page with the buttons that work, and its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.posts: dict[str, Form] = {}
        self.links: set[str] = set()
        self.dead: list[dict[str, str]] = []
        self.ids: set[str] = set()
        self._form = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        if tag == "form" and given.get("method", "").lower() == "post":
            self._form = given.get("id") or f"form {len(self.posts)}"
            self.posts[self._form] = Form(given.get("action", ""))
        if tag == "a" and given.get("href", "").startswith("/"):
            self.links.add(given["href"].partition("#")[0])
        if given.get("aria-disabled") == "true":
            self.dead.append(given)
            return
        owner = given.get("form", self._form)
        if tag == "button" and given.get("type") != "button" and "disabled" not in given and owner:
            self.posts[owner].buttons.append(given)
        if tag == "input" and owner in self.posts:
            if given.get("type") == "submit":
                self.posts[owner].buttons.append(given)
            elif given.get("name"):
                self.posts[owner].fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = ""


@pytest.fixture
def account():
    """A little of everything that has a button."""
    groups_create_missing()
    policies_read()
    factories.SyncRunFactory()
    factories.HeartbeatFactory()
    for coin in ("BTC", "ETH", "SOL"):
        factories.InstrumentFactory(symbol=f"{coin}_USD", base_ccy=coin)
        factories.BalanceFactory(currency=coin)
    good = factories.LegFactory(group__lot__base_ccy="BTC").group
    factories.OrderFactory(order_id=good.legs.first().order_id, advanced=True, oco_group_id=good.pk)
    bad = factories.GroupFactory(state="STOP_FAILED", instrument_name="ETH_USD", lot__base_ccy="ETH")
    factories.WatchFactory()
    factories.AlertFactory.create_batch(2)
    factories.ApiTokenFactory()
    group_pages = [
        f"/protection/{group.pk}/{page}" for group in (good, bad) for page in ("", "sent/", "fix/")
    ]
    return ["/", "/switch/", "/sudo/", "/admin/", "/protection/protect/SOL_USD/", *group_pages]


def browser(name):
    client, user = Client(), User.objects.create_user(name, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    client.force_login(user)
    session = client.session
    session[CONFIRMED_AT_KEY] = timezone.now().timestamp()
    session.save()
    return client


def crawl(client, starts, *, limit=60):
    """Every page that can be reached by links, with its forms. A link that is refused fails."""
    seen, waiting, refused = {}, list(starts), set()
    while waiting and len(seen) < limit:
        address = waiting.pop(0)
        if address in seen or SKIPPED.search(address):
            continue
        answer = client.get(address)
        if answer.status_code in (403, 404, 500) and address not in starts:
            refused.add(address)
        html = answer.content.decode() if answer["Content-Type"].startswith("text/html") else ""
        seen[address] = Forms(html)
        waiting += sorted(seen[address].links)
    assert refused == set()
    return seen


def send(client, address, form, button):
    """The status of the answer; whatever it does is undone."""
    again = Client()
    again.cookies = client.cookies.copy()
    data = dict(form.fields)
    if button.get("name"):
        data[button["name"]] = button.get("value", "")
    try:
        with transaction.atomic():
            status = again.post(form.action or address, data).status_code
            transaction.set_rollback(True)
    finally:
        file_clear()
    return status


@pytest.mark.parametrize("role", ROLES)
def test_every_form_and_link_shown_may_be_used(account, role, settings):
    settings.DASHBOARD_PUBLIC = "false"
    client, refused, sent = browser(role), [], 0
    for address, page in crawl(client, account).items():
        for form in page.posts.values():
            for button in form.buttons:
                status, sent = send(client, address, form, button), sent + 1
                if status in (403, 405):
                    refused.append((address, form.action, button.get("value", "")))
    assert refused == []
    assert sent > 30


OWN = {
    "viewer": set(),
    "trader": {"/sync-now/", "/alerts/acknowledge/", "/watchlist/"},
    "owner": {"/sync-now/", "/alerts/acknowledge/", "/watchlist/", "/switch/", "/protection/cancel/"},
}


@pytest.mark.parametrize("role", ROLES)
def test_nobody_loses_a_form_that_may_be_used(account, role):
    client = browser(role)
    pages = {address: Forms(client.get(address).content.decode()) for address in ("/alerts/", "/watchlist/")}
    found = {form.action for page in pages.values() for form in page.posts.values()}
    for address in (account[1], f"{account[5]}cancel/"):
        forms = Forms(client.get(address).content.decode()).posts.values()
        if any(form.action == "" and form.buttons for form in forms):
            found.add(re.sub(r"[0-9a-f-]{36}/", "", address))
    assert {name for name in set.union(*OWN.values()) if name in found} == OWN[role]


def text(client, address="/"):
    return unescape(client.get(address).content.decode())


@pytest.mark.parametrize(
    ("role", "address", "right"),
    [
        ("viewer", "/watchlist/", Right.TRADE),
        ("viewer", "/switch/", Right.MANAGE),
        ("trader", "/switch/", Right.MANAGE),
    ],
)
def test_where_an_action_is_the_point_of_the_page_its_absence_is_explained(account, role, address, right):
    html = text(browser(role), address)
    assert str(REFUSALS[right]) in html
    assert "Log in</a> to" not in html


def test_a_trader_is_told_why_protection_cannot_be_removed(account):
    html = text(browser("trader"), account[5])
    assert str(REFUSALS[Right.MANAGE]) in html
    assert f'href="{account[5]}cancel/"' not in html


EVERYWHERE = ["/", "/protection/", "/orders/", "/alerts/", "/about/", "/switch/", "/api/docs/", "/nothing/"]
EVERYWHERE += ["/admin/", "/admin/oco/ocogroup/", "/admin/exchange/tradingswitch/"]


@pytest.mark.parametrize("address", EVERYWHERE)
def test_the_kill_switch_has_a_banner_on_every_page(account, address):
    client = browser("owner")
    assert 'class="attention warn"><b>Trading is off' not in text(client, address)
    stop_trading(changed_by="alice", now=timezone.now())
    html = text(client, address)
    assert "DRY RUN" in html
    assert re.search(r'class="attention warn"[^>]*>.*?Trading is off', html, re.DOTALL)


def test_the_kill_switch_has_a_banner_on_the_page_of_the_login(settings):
    settings.DASHBOARD_PUBLIC = "false"
    stop_trading(changed_by="alice", now=timezone.now())
    assert "<b>Trading is off" in text(Client(), "/login/")


def blocked_by(name):
    if name == "switch":
        stop_trading(changed_by="alice", now=timezone.now())
    if name in KEY_CONDITIONS:
        code = "KEY_MAY_NOT_TRADE" if name == TRADING else "KEY_REJECTED"
        Alert.objects.create(
            kind="KEY", condition=name, dedupe_key=name, reason_code=code, raised_at=timezone.now()
        )
    if name == "worker":
        ago = timezone.now() - timedelta(seconds=40)
        factories.HeartbeatFactory._meta.model.objects.update(beat_at=ago)
        factories.SyncRunFactory._meta.model.objects.update(finished_at=ago - timedelta(seconds=5))


WORDS = {
    "switch": "Trading is off, so no order can be placed. alice has turned trading off.",
    "trading": "The API key may not trade",
    "key": "The exchange rejects the API key",
    "worker": "The worker is not running",
}


@pytest.mark.parametrize("cause", WORDS)
def test_what_cannot_work_looks_so_and_says_why(account, cause):
    client = browser("owner")
    for address in ("/", account[7].removesuffix("sent/")):
        assert not [
            one
            for one in Forms(text(client, address)).dead
            if "why-protect" in one.get("aria-describedby", "")
        ]
    blocked_by(cause)
    for address in ("/", "/protection/", account[8]):
        html = text(client, address)
        page = Forms(html)
        dead = [one for one in page.dead if one.get("aria-describedby") == "why-protect"]
        assert dead, address
        assert "why-protect" in page.ids
        assert {one["title"].startswith(WORDS[cause][:20]) for one in dead} == {True}
        assert "/protection/protect/SOL_USD/" not in page.links
        assert WORDS[cause][:30] in re.sub("<[^>]+>", "", html)


@pytest.mark.parametrize("cause", WORDS)
def test_the_order_forms_refuse_for_the_same_reason(account, cause):
    client = browser("owner")
    blocked_by(cause)
    form = client.get("/protection/protect/SOL_USD/")
    assert WORDS[cause][:20] in unescape(form.content.decode())
    assert "Review, nothing is sent yet" not in form.content.decode()


def test_a_sync_is_not_promised_while_nobody_would_run_it(account):
    client = browser("trader")
    blocked_by("worker")
    (button,) = [one for one in Forms(text(client)).dead if one.get("aria-describedby") == "why-sync"]
    assert button["title"].startswith("The worker is not running")
    answer = client.post("/sync-now/", {"back": "/about/"}, follow=True)
    assert "The worker is not running" in unescape(answer.content.decode())
    assert "Sync requested" not in answer.content.decode()


def test_a_worker_that_was_never_seen_or_was_replaced_by_a_command_blocks_nothing(account):
    beat = factories.HeartbeatFactory._meta.model
    beat.objects.update(beat_at=timezone.now() - timedelta(days=1))
    assert "The worker is not running" not in text(browser("owner"))
    beat.objects.all().delete()
    assert "The worker is not running" not in text(browser("trader"))


def test_the_admin_refuses_to_protect_while_no_order_can_be_placed(account):
    client = browser("owner")
    stop_trading(changed_by="alice", now=timezone.now())
    address = "/admin/portfolio/balance/SOL/protect/"
    page = Forms(text(client, address))
    assert [one["title"] for one in page.dead if "why-protect" in one["aria-describedby"]]
    values = {"instrument_name": "SOL_USD", "quantity": "0.1", "stop_price": "50000"}
    assert "Trading is off" in unescape(client.post(address, values).content.decode())
    assert not factories.GroupFactory._meta.model.objects.filter(instrument_name="SOL_USD").exists()


def test_the_admin_offers_the_side_of_the_switch_that_works(account):
    client, address = browser("owner"), "/admin/exchange/tradingswitch/"
    assert 'value="off">' in text(client, address)
    assert 'value="on">' not in text(client, address)
    stop_trading(changed_by="alice", now=timezone.now())
    assert 'value="on">' in text(client, address)
    assert 'value="off">' not in text(client, address)


def test_every_role_was_tried():
    assert set(ROLES) == set(GROUPS)
