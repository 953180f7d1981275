"""One check of rights for pages, API and admin, by the groups viewer, trader and owner."""

import io
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from exchange.models import TradingSwitch
from exchange.services.permissions import GROUPS, Right, acting, groups_create_missing, has_right
from oco.models import OcoGroup, ProtectionPolicy
from oco.policies import policies_read
from oco.services.groups import group_cancel, group_create, group_reprice
from oco.services.kill_switch import resume_trading, stop_trading
from portfolio.alerts.services import alert_acknowledge
from portfolio.models import ApiToken, WatchlistItem
from portfolio.security.authentication import token_create, token_revoke
from portfolio.security.sudo import CONFIRMED_AT_KEY
from portfolio.signals.watchlist import (
    watchlist_add,
    watchlist_move,
    watchlist_remove,
    watchlist_set_note,
)
from portfolio.worker.sync_requests import sync_request
from tests import factories

pytestmark = pytest.mark.django_db
NAMES = ("nobody", "viewer", "trader", "owner")


@pytest.fixture(autouse=True)
def closed(settings):
    settings.DASHBOARD_PUBLIC = "false"
    groups_create_missing()


def user(name, **fields):
    made = User.objects.create_user(name, password="x", **fields)
    if name in GROUPS:
        made.groups.add(Group.objects.get(name=name))
    return made


def browser(name, **fields):
    client = Client()
    client.force_login(user(name, **fields))
    session = client.session
    session[CONFIRMED_AT_KEY] = timezone.now().timestamp()
    session.save()
    return client


def test_setup_makes_the_groups_once_and_everyone_else_a_viewer():
    Group.objects.all().delete()
    user("bob")
    user("alice", is_superuser=True)
    out = io.StringIO()
    call_command("setup", no_static=True, stdout=out)
    assert set(Group.objects.values_list("name", flat=True)) == set(GROUPS)
    assert "These users may look only until an owner changes that in the admin: bob\n" in out.getvalue()
    assert [group.name for group in User.objects.get(username="bob").groups.all()] == ["viewer"]
    User.objects.get(username="bob").groups.clear()
    Group.objects.get(name="trader").permissions.clear()
    assert groups_create_missing() == []  # what an owner has changed since stays
    assert not User.objects.get(username="bob").groups.exists()
    assert not Group.objects.get(name="trader").permissions.exists()


@pytest.mark.parametrize(
    ("name", "rights"), [("nobody", 0), ("viewer", 1), ("trader", 2), ("owner", 3), ("superuser", 3)]
)
def test_each_group_has_its_rights(name, rights):
    someone = user(name, is_superuser=name == "superuser")
    assert [has_right(someone, right) for right in Right] == [number < rights for number in range(3)]


def test_one_permission_of_django_is_enough():
    someone = user("bob")
    someone.user_permissions.add(
        Permission.objects.get(codename="manage", content_type__app_label="exchange")
    )
    assert has_right(User.objects.get(pk=someone.pk), Right.TRADE)


def test_a_user_who_was_deactivated_has_none():
    assert not has_right(user("owner", is_active=False), Right.VIEW)


def services(now):
    alert, item, token = (
        factories.AlertFactory(),
        factories.WatchFactory(),
        factories.ApiTokenFactory(),
    )
    group = factories.GroupFactory()
    prices = {"stop_price": Decimal(1), "take_profit_price": None, "requested_by": "x", "now": now}
    trade = {
        "protect": lambda: group_create(instrument_name="NO_SUCH", quantity=Decimal(1), **prices),
        "reprice": lambda: group_reprice(lease=None, group_id=group.pk, **prices),
        "sync": lambda: sync_request(requested_by="x"),
        "acknowledge": lambda: alert_acknowledge(alert=alert, acknowledged_by="x", now=now),
        "watch": lambda: watchlist_add(instrument_name="NO_SUCH", note=None, now=now),
        "note": lambda: watchlist_set_note(item=item, note="x", now=now),
        "move": lambda: watchlist_move(item=item, steps=1, now=now),
        "unwatch": lambda: watchlist_remove(instrument_name=item.instrument_name),
    }
    manage = {
        "cancel": lambda: group_cancel(group_id=group.pk, requested_by="x", now=now),
        "off": lambda: stop_trading(changed_by="x", now=now),
        "on": lambda: resume_trading(changed_by="x", now=now),
        "token": lambda: token_create(user=token.user, scope="read", days=1, created_by="x"),
        "revoke": lambda: token_revoke(token=token, revoked_by="x"),
    }
    return trade, manage


@pytest.mark.parametrize("name", NAMES)
def test_every_service_asks(name):
    trade, manage = services(timezone.now())
    request = RequestFactory().post("/")
    request.user = user(name)
    allowed = {**(trade if name in ("trader", "owner") else {}), **(manage if name == "owner" else {})}
    with acting(request):
        for word, service in {**trade, **manage}.items():
            assert is_refused(service) != (word in allowed), word


def is_refused(service):
    try:
        service()
    except PermissionDenied:
        return True
    except (ValueError, AttributeError):  # it got as far as the values
        return False
    return False


def test_the_program_itself_may_do_everything():
    stop_trading(changed_by="alice at the command line", now=timezone.now())
    assert TradingSwitch.objects.get().is_off


PAGES = [
    "/",
    "/protection/",
    "/orders/",
    "/portfolio/",
    "/signals/",
    "/history/",
    "/watchlist/",
    "/alerts/",
    "/audit/",
]
READS = ["/api/dashboard/state", "/api/orders/", "/api/balances/", "/api/oco-groups/", "/api/watchlist/"]


@pytest.mark.parametrize("name", NAMES)
def test_who_may_see_pages_and_api(name):
    client = browser(name)
    expected = 403 if name == "nobody" else 200
    assert {client.get(address).status_code for address in (*PAGES, *READS)} == {expected}
    assert client.get("/health").status_code == 200


def test_the_refusal_says_what_to_ask_for():
    client = browser("viewer")
    for address in ("/sync-now/", "/api/sync/"):
        answer = client.post(address)
        assert "Ask an owner to add you to the group “trader”." in unescape(answer.content.decode())


def token(name, scope):
    return factories.ApiTokenFactory(user=User.objects.get(username=name), scope=scope).text


def changes(group):
    """Address and body of each change over HTTP, by the right it needs."""
    return {
        Right.TRADE: [
            ("/sync-now/", {}),
            ("/watchlist/", {"instrument_name": "NO_SUCH"}),
            ("/alerts/acknowledge/", {"alert": "all"}),
            ("/api/sync/", {}),
            ("/api/watchlist/", {"instrument_name": "NO_SUCH"}),
            ("/api/oco-groups/", {"instrument_name": "NO_SUCH", "quantity": "1", "stop_price": "1"}),
        ],
        Right.MANAGE: [
            ("/switch/", {}),
            ("/switch/on/", {}),
            (f"/protection/{group.pk}/cancel/", {}),
            (f"/api/oco-groups/{group.pk}/cancel/", {}),
        ],
    }


@pytest.mark.parametrize("name", NAMES)
def test_who_may_change_what_over_http(name):
    client, group = browser(name), factories.GroupFactory()
    mine = {"trader": [Right.TRADE], "owner": [Right.TRADE, Right.MANAGE]}.get(name, [])
    for right, addresses in changes(group).items():
        for address, body in addresses:
            kind = {"content_type": "application/json"} if address.startswith("/api/") else {}
            answer = client.post(address, body, **kind)
            assert (answer.status_code == 403) == (right not in mine), address
    assert OcoGroup.objects.get(pk=group.pk).cancel_requested_at is None or name == "owner"


@pytest.mark.parametrize("name", NAMES)
def test_a_token_can_do_no_more_than_its_user(name):
    user(name)
    client, text = Client(), token(name, "trade")
    headers = {"HTTP_AUTHORIZATION": f"Token {text}", "content_type": "application/json"}
    answer = client.post("/api/sync/", {}, **headers)
    assert answer.status_code == (202 if name in ("trader", "owner") else 403)
    read = client.get("/api/balances/", HTTP_AUTHORIZATION=f"Token {text}")
    assert read.status_code == (403 if name == "nobody" else 200)


def test_the_session_of_an_owner_lends_nothing_to_the_token_of_a_viewer():
    client = browser("owner")
    user("viewer")
    headers = {"HTTP_AUTHORIZATION": f"Token {token('viewer', 'trade')}", "content_type": "application/json"}
    assert client.post("/api/sync/", {}, **headers).status_code == 403


@pytest.mark.parametrize("name", NAMES)
def test_the_admin_asks_for_the_same(name):
    client = browser(name, is_staff=True)
    policies_read()
    policy = ProtectionPolicy.objects.first()
    item = factories.WatchFactory()
    looks = [reverse(f"admin:{one}_changelist") for one in ("exchange_exchangeorder", "oco_ocogroup")]
    assert {client.get(one).status_code for one in looks} == {403 if name == "nobody" else 200}
    owners = [
        reverse("admin:auth_user_changelist"),
        reverse("admin:portfolio_apitoken_changelist"),
        reverse("admin:portfolio_apitoken_add"),
    ]
    assert {client.get(one).status_code for one in owners} == {200 if name == "owner" else 403}
    answer = client.post(reverse("admin:oco_protectionpolicy_change", args=[policy.pk]), {"stop_pct": "7"})
    assert (answer.status_code == 403) == (name != "owner")
    client.post(reverse("admin:portfolio_watchlistitem_delete", args=[item.pk]), {"post": "yes"})
    client.post(reverse("admin:exchange_tradingswitch_turn"), {"to": "off"})
    assert WatchlistItem.objects.exists() == (name not in ("trader", "owner"))
    assert TradingSwitch.objects.exists() == (name == "owner")


def test_permissions_of_django_for_single_tables_give_nothing():
    client = browser("nobody", is_staff=True)
    User.objects.get(username="nobody").user_permissions.set(
        Permission.objects.exclude(
            content_type__app_label="exchange", codename__in=["view", "trade", "manage"]
        )
    )
    group = factories.GroupFactory()
    client.post(
        reverse("admin:oco_ocogroup_changelist"),
        {"action": "cancel_protection", "_selected_action": str(group.pk), "sure": "1"},
    )
    client.post(reverse("admin:portfolio_apitoken_add"), {"scope": "trade", "days": "1"})
    client.post(reverse("admin:exchange_tradingswitch_turn"), {"to": "off"})
    assert (OcoGroup.objects.get().cancel_requested_at, ApiToken.objects.count()) == (None, 0)
    assert not TradingSwitch.objects.exists()


def test_an_owner_makes_nobody_a_superuser_and_changes_none():
    client = browser("owner", is_staff=True)
    root = user("root", is_superuser=True, is_staff=True)
    owner = User.objects.get(username="owner")
    fields = {"username": "owner", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    day = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    client.post(reverse("admin:auth_user_change", args=[owner.pk]), {**fields, **day})
    assert not User.objects.get(pk=owner.pk).is_superuser
    password = {"password1": "new password 7", "password2": "new password 7"}
    assert client.post(f"/admin/auth/user/{root.pk}/password/", password).status_code == 403
    assert User.objects.get(pk=root.pk).check_password("x")
    assert client.get(reverse("admin:auth_group_add")).status_code == 403
