"""What the user of a page may do now: each button asks here whether it is shown, and whether it works."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from django.http import HttpRequest

from exchange.services.permissions import REFUSALS, Right, has_right
from portfolio.status.trading_mode import (
    Trading,
    current_trading,
    key_reason,
    orders_blocked_reason,
    stale_reason,
    trading_off_reason,
    worker_reason,
)

if TYPE_CHECKING:
    from portfolio.web.page_context import PageContext  # it has the actions


class Action(StrEnum):
    PROTECT = "protect"  # and new prices for a failed stop
    CANCEL = "cancel"
    SYNC = "sync"
    ACKNOWLEDGE = "acknowledge"
    WATCHLIST = "watchlist"
    SWITCH = "switch"
    AUDIT = "audit"  # reading who did what
    TOKENS = "tokens"
    SIMULATE = "simulate"  # orders and prices of the simulator


RIGHTS = {
    Action.PROTECT: Right.TRADE,
    Action.CANCEL: Right.MANAGE,
    Action.SYNC: Right.TRADE,
    Action.ACKNOWLEDGE: Right.TRADE,
    Action.WATCHLIST: Right.TRADE,
    Action.SWITCH: Right.MANAGE,
    Action.AUDIT: Right.VIEW,
    Action.TOKENS: Right.MANAGE,
    Action.SIMULATE: Right.TRADE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionState:
    """`missing_right` and `blocked` are sentences, empty when there is nothing in the way.

    Somebody who is not logged in yet lacks no right: a link leads to the login, and only a form has to be left out.
    """

    is_logged_in: bool
    missing_right: str
    blocked: str

    @property
    def refusal(self) -> str:
        return self.missing_right or self.blocked

    @property
    def is_permitted(self) -> bool:
        """Whether the user may send its form."""
        return self.is_logged_in and not self.missing_right

    @property
    def works(self) -> bool:
        return self.is_permitted and not self.blocked


class Actions:
    """The state of each action, as `page_context.actions.protect`."""

    def __init__(self, page: "PageContext") -> None:
        self.page, self.user = page, page.request.user

    def state(self, action: Action) -> ActionState:
        right = RIGHTS[action]
        is_logged_in = self.user.is_authenticated
        is_missing = is_logged_in and not has_right(self.user, right)
        return ActionState(
            is_logged_in=is_logged_in,
            missing_right=str(REFUSALS[right]) if is_missing else "",
            blocked=self._blocks[action]() if action in self._blocks else "",
        )

    def all_states(self) -> tuple[ActionState, ...]:
        """What a page shows of them depends on nothing else."""
        return tuple(getattr(self, action) for action in Action)

    @cached_property
    def protect(self) -> ActionState:
        return self.state(Action.PROTECT)

    @cached_property
    def cancel(self) -> ActionState:
        return self.state(Action.CANCEL)

    @cached_property
    def sync(self) -> ActionState:
        return self.state(Action.SYNC)

    @cached_property
    def acknowledge(self) -> ActionState:
        return self.state(Action.ACKNOWLEDGE)

    @cached_property
    def watchlist(self) -> ActionState:
        return self.state(Action.WATCHLIST)

    @cached_property
    def switch(self) -> ActionState:
        return self.state(Action.SWITCH)

    @cached_property
    def audit(self) -> ActionState:
        return self.state(Action.AUDIT)

    @cached_property
    def tokens(self) -> ActionState:
        return self.state(Action.TOKENS)

    @cached_property
    def simulate(self) -> ActionState:
        return self.state(Action.SIMULATE)

    @property
    def _blocks(self) -> dict[Action, Callable[[], str]]:
        return {Action.PROTECT: self._no_orders, Action.CANCEL: self._stale, Action.SYNC: self._no_worker}

    def _no_orders(self) -> str:
        page = self.page
        blocked = orders_blocked_reason(trading=page.trading, last_modified=page.last_modified, now=page.now)
        return self._stale() or blocked

    def _stale(self) -> str:
        return stale_reason(self.page.sync)

    def _no_worker(self) -> str:
        return worker_reason(self.page.last_modified, now=self.page.now)

    @cached_property
    def notice(self) -> str:
        """Why no order can be placed, for the top of every page. How old the data is, is told beside its age."""
        page = self.page
        off = trading_off_reason(page.trading)
        if off or not page.is_open:
            return off
        return key_reason(page.last_modified) or worker_reason(page.last_modified, now=page.now)


def request_trading(request: HttpRequest) -> Trading:
    """Read once for a request, however many parts of a page ask."""
    known: Trading | None = getattr(request, "trading", None)
    if known is None:
        known = request.trading = current_trading()  # type: ignore[attr-defined]  # ours alone
    return known
