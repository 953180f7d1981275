"""Who may do what: one check for pages, API and admin, asked by the services that change something.

A request is known here through `acting`. Outside of any request the program itself or someone with a shell acts, and
may do everything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Right(StrEnum):
    """Django permissions, each of which includes those before it."""

    VIEW = "exchange.view"
    TRADE = "exchange.trade"  # protect, change prices, sync, watchlist, acknowledge
    MANAGE = "exchange.manage"  # remove protection, kill switch, policies, tokens, users


GROUPS = {"viewer": Right.VIEW, "trader": Right.TRADE, "owner": Right.MANAGE}
RIGHT_LABELS: dict[Right, Promise] = {
    Right.VIEW: _("see the account"),
    Right.TRADE: _("trade: protect, change prices, sync, watchlist, acknowledge alerts"),
    Right.MANAGE: _("manage: remove protection, kill switch, policies, tokens, users"),
}
REFUSALS: dict[Right, Promise] = {
    Right.VIEW: _("You may not see this account. Ask an owner to add you to the group “viewer”."),
    Right.TRADE: _("You may look, but not change anything. Ask an owner to add you to the group “trader”."),
    Right.MANAGE: _("Only an owner may do this. Ask one to add you to the group “owner”."),
}
_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


@contextmanager
def acting(request: HttpRequest) -> Iterator[None]:
    """What happens in the block is done by the user of `request`, or by the user of its token."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def has_right(user: Any, right: Right) -> bool:
    """Whether `user` has it, or one that includes it."""
    order = list(Right)
    return any(user.has_perm(one) for one in order[order.index(right) :])


def require(right: Right) -> None:
    """Raises PermissionDenied, with a sentence, unless the current user has the right."""
    request = _request.get()
    if request is not None and not has_right(getattr(request, "user", AnonymousUser()), right):
        raise PermissionDenied(str(REFUSALS[right]))


def right_permissions() -> QuerySet[Permission]:
    """The only permissions that anything asks for."""
    return _permissions(Right.MANAGE)


def right_label(permission: Permission) -> str:
    """In the reader's language: the database holds the English name of a permission."""
    return str(RIGHT_LABELS[Right(f"exchange.{permission.codename}")])


def groups_create_missing() -> list[str]:
    """Create the groups; returns the names of users who became viewers.

    Only those of an installation that had no groups: later an owner decides. A superuser has every right anyway.
    """
    known = set(Group.objects.filter(name__in=GROUPS).values_list("name", flat=True))
    for name in GROUPS.keys() - known:
        group = Group.objects.create(name=name)
        group.permissions.set(_permissions(GROUPS[name]))
    return [] if known else _make_viewers()


def _permissions(right: Right) -> QuerySet[Permission]:
    order = list(Right)
    names = [each.partition(".")[2] for each in order[: order.index(right) + 1]]
    return Permission.objects.filter(content_type__app_label="exchange", codename__in=names)


def _make_viewers() -> list[str]:
    viewer = Group.objects.get(name="viewer")
    users = list(User.objects.filter(is_superuser=False).order_by("username"))
    viewer.user_set.add(*users)
    return [user.get_username() for user in users]
