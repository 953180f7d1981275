"""Texts of reasons, orders and exchange codes in the user's language (pure)."""

import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.core.numbers import stored_number_text
from exchange.core.reasons import TEXT, OrderReason, Param, Reason
from exchange.core.texts import escape_line
from exchange.error_texts import answer_text
from oco.engine.pricing import ExitSide
from oco.engine.reason_codes import PolicyChange, Violation
from oco.engine.reason_codes import ReasonCode as R
from oco.engine.types import Role

SELL, BUY = ExitSide.SELL, ExitSide.BUY
ANSWER = "answer"
NOT_NUMBERS = frozenset({"name", "coin", "error", "status", ANSWER, TEXT})
"""Parameters that stay as they are, also where they look like a number."""

Variants = Mapping[str, Promise]
"""The texts of one code, by its parameter `side` or `role`."""

REASON_TEXTS: dict[str, Promise | Variants] = {
    # requests of users
    R.REQUESTED: _("Requested by %(name)s."),
    R.RELEASE_REQUESTED: {
        SELL: _("%(name)s requested removal of the protection."),
        BUY: _("%(name)s requested removal of the buy-back."),
    },
    R.PRICES_CHANGED: _("%(name)s set the stop to %(stop)s and the take profit to %(target)s."),
    R.PRICES_CHANGED_STOP_ONLY: _("%(name)s set the stop to %(stop)s without a take profit."),
    R.RELEASED_BY: _("Removed by %(name)s."),
    # observed and sent
    R.ENTRY_FILLED: {
        SELL: _("Bought %(quantity)s %(coin)s at %(price)s."),
        BUY: _("%(coin)s was sold at %(price)s: the proceeds buy back %(quantity)s."),
    },
    R.FROM_STREAM: _("Announced by the user stream: protected before the account is read."),
    R.STREAM_CONFIRMED: _("A complete read of the account confirms the protection."),
    R.STREAM_NOT_CONFIRMED: _("A complete read of the account does not confirm the protection."),
    R.PLACING_PAIR: _("Placing stop %(stop)s and take profit %(target)s for %(quantity)s."),
    R.PLACING_STOP: _("Placing only a stop at %(stop)s for %(quantity)s."),
    R.PLACING_EXIT: {
        SELL: _("Placing a market sell for %(quantity)s."),
        BUY: _("Placing a market buy for %(quantity)s."),
    },
    R.TRADE_CORRECTED: _(
        "The exchange reports a fill of this purchase otherwise now: %(before)s %(coin)s became %(after)s."
    ),
    R.TRADE_REPRICED: _(
        "The exchange reports the price of a fill of this purchase otherwise now: placing its orders again."
    ),
    R.RESTS_JOINED: _("%(quantity)s %(coin)s that were too small to protect alone joined it."),
    R.RESTS_TOGETHER: _(
        "Purchases and remainders that were too small to protect alone are large enough together: "
        "%(quantity)s %(coin)s at %(price)s."
    ),
    R.CANCEL_SENT: _("Sending a cancellation."),
    R.NOT_CONFIRMED_OPEN: _("Accepted, not yet confirmed open on the exchange."),
    R.CONFIRMED_OPEN: _("Stop and take profit confirmed open on the exchange."),
    R.STOP_CONFIRMED_OPEN: _("Stop confirmed open on the exchange, without a take profit."),
    R.LEFT_ACCOUNT: {
        SELL: _("%(quantity)s %(coin)s left the account outside this group; the lot now holds %(owned)s."),
        BUY: _(
            "The funds for %(quantity)s %(coin)s left the account outside this group; "
            "%(owned)s are still to be bought back."
        ),
    },
    # nothing is placed, or something else
    R.WAITING_FOR_CYCLE: _("The worker places its orders in the next cycle."),
    R.NO_ORDER: {
        SELL: _("No open order protects it."),
        BUY: _("No open order buys it back."),
    },
    R.NO_TARGET: _("No take profit requested."),
    R.PAIR_REFUSED_STOP_ONLY: _("The exchange rejected the pair: placing only the stop."),
    R.STOP_LOST_RESENT: _("Its stop cannot be found: resending it with the same client order ID."),
    R.RETRY_NEXT_CYCLE: _("Retrying in the next cycle."),
    R.NO_PRICE: _("The price could not be read."),
    R.DATA_MISSING_NO_CANCEL: _("Some data could not be read, so nothing is cancelled."),
    R.DATA_MISSING_NO_ORDER: _("Some data needed to place an order could not be read."),
    R.BALANCE_SHORT: {
        SELL: _("The balance does not include all the coins yet."),
        BUY: _("The balance does not include all the funds yet."),
    },
    R.WORTH_TOO_LITTLE_AT_STOP: _("At its stop price, %(quantity)s is worth less than the exchange minimum."),
    R.WORTH_TOO_LITTLE_NOW: _("At this price the lot is below the minimum order size."),
    R.BELOW_MINIMUM: _("%(quantity)s at %(price)s is below the exchange minimum."),
    R.REST_RESERVED: {
        SELL: _("Only %(quantity)s can be sold: the rest is reserved by another order."),
        BUY: _("Only %(quantity)s can be bought: the rest is reserved by another order."),
    },
    R.QUANTITY_TOO_SMALL: {
        SELL: _("Only %(quantity)s can be sold: below the minimum order size."),
        BUY: _("Only %(quantity)s can be bought: below the minimum order size."),
    },
    R.STOP_TOO_CLOSE: _(
        "The stop %(stop)s is less than %(distance)s %% from mark price %(mark)s, too close for a pair."
    ),
    R.TARGET_TOO_HIGH: _("The take profit %(target)s is more than ten times mark price %(mark)s."),
    R.TARGET_TOO_LOW: _("The take profit %(target)s is less than a tenth of mark price %(mark)s."),
    R.TARGET_PASSED: {
        SELL: _(
            "The market has passed the take profit %(target)s: using %(placed)s, the first valid price above."
        ),
        BUY: _(
            "The market has passed the take profit %(target)s: using %(placed)s, the first valid price below."
        ),
    },
    R.ABOVE_PRICE_LIMIT: _("Nothing is bought above %(price)s."),
    R.HELD_BEFORE_START: _(
        "You held this before Exchange Desk started, or excluded it from protection: "
        "it is protected only on request."
    ),
    R.ORIGIN_UNKNOWN: _(
        "Not every execution has been read yet, or its instrument is not known: it may be a purchase that has no stop. "
        "Protect it yourself if it cannot wait."
    ),
    R.RESERVED_BY_ORDER: _("Reserved by an external order that is not a stop."),
    R.TOO_SMALL_ALONE: _(
        "Too small to protect alone: %(quantity)s %(coin)s worth %(value)s USD. "
        "It joins the next purchase that is protected."
    ),
    R.BELOW_POLICY_MINIMUM: _(
        "Below the minimum value of its policy: %(quantity)s %(coin)s worth %(value)s USD. "
        "It joins the next purchase that is protected. Protect it yourself if it cannot wait."
    ),
    R.PART_WITHOUT_STOP: _(
        "The rest has a stop. This part is reserved by another order, or was not in the account "
        "when the orders were placed."
    ),
    R.PERPETUAL: _("Perpetual: protect it on the exchange; Exchange Desk protects spot only."),
    R.MOVED_ON_EXCHANGE: {
        Role.STOP_LOSS: _("The stop loss was moved on the exchange from %(before)s to %(after)s."),
        Role.TAKE_PROFIT: _("The take profit was moved on the exchange from %(before)s to %(after)s."),
        Role.EXIT: _("The sale was moved on the exchange from %(before)s to %(after)s."),
    },
    # the mark price is past the stop
    R.MARK_AT_STOP: {
        SELL: _("Mark price %(mark)s is at or below the stop %(stop)s."),
        BUY: _("Mark price %(mark)s is at or above the stop %(stop)s."),
    },
    R.STOP_WITHIN_SPREAD: {
        SELL: _(
            "The stop %(stop)s is within one tick or the spread (%(clearance)s) of the best bid %(price)s: "
            "it would be triggered without a move of the price. Nothing is placed or sold: "
            "choose a lower stop, or sell manually."
        ),
        BUY: _(
            "The stop %(stop)s is within one tick or the spread (%(clearance)s) of the best ask %(price)s: "
            "it would be triggered without a move of the price. Nothing is placed or bought: "
            "remove the buy-back, or buy manually."
        ),
    },
    R.STOP_CROSSED: _("Mark price is past the stop."),
    R.STOP_CROSSED_BY_POLICY: {
        SELL: _("Mark price is past the stop, but the policy does not allow a market sell."),
        BUY: _("Mark price is past the stop, but the policy does not allow a market buy."),
    },
    R.STOP_CROSSED_TOO_LONG: {
        SELL: _("Mark price is past the stop, but was not monitored for too long: nothing is sold."),
        BUY: _("Mark price is past the stop, but was not monitored for too long: nothing is bought."),
    },
    R.STOP_CROSSED_UNCERTAIN: {
        SELL: _("Mark price is past the stop, but mark price and best bid do not agree in two checks."),
        BUY: _("Mark price is past the stop, but mark price and best ask do not agree in two checks."),
    },
    R.ENTRY_NOT_CONFIRMED: {
        SELL: _(
            "The price is past the stop, but only one answer reported this purchase yet: nothing is sold."
        ),
        BUY: _(
            "The price is past the stop, but only one answer reported this sale yet: nothing is bought back."
        ),
    },
    R.STOP_CROSSED_CONFIRMED: {
        SELL: _("Mark price and best bid are past the stop."),
        BUY: _("Mark price and best ask are past the stop."),
    },
    # changes of open orders
    R.TARGET_PARTLY_FILLED: {
        SELL: _("The take profit sold %(filled)s of %(quantity)s."),
        BUY: _("The take profit bought %(filled)s of %(quantity)s."),
    },
    R.TARGET_STAYS_ACTIVE: _("The price is near: it stays active one more cycle."),
    R.REST_TOO_SMALL_FOR_STOP: _(
        "The rest is below the minimum order size for a stop: the take profit stays active."
    ),
    R.CANCELLING_TARGET: _("Cancelling it to protect the remainder."),
    R.COVER_DIFFERS: {
        SELL: _("Orders cover %(covered)s, but %(quantity)s can be sold."),
        BUY: _("Orders cover %(covered)s, but %(quantity)s can be bought."),
    },
    R.COVER_DIFFERS_REPLACING: {
        SELL: _("Orders cover %(covered)s, but %(quantity)s can be sold: replacing them."),
        BUY: _("Orders cover %(covered)s, but %(quantity)s can be bought: replacing them."),
    },
    R.TARGET_CANCELLED: _("The take profit was cancelled."),
    R.TARGET_CANCELLED_REPLACING: _("The take profit was cancelled: replacing the pair."),
    R.PAIR_POSSIBLE: _("The stop is open without its take profit, and a pair may be possible again."),
    R.PAIR_POSSIBLE_REPLACING: _("A pair is possible again: replacing the stop that was placed alone."),
    R.STOP_STILL_OPEN: _("The stop is still open."),
    R.STOP_GONE: _("The stop no longer exists."),
    R.STOP_GONE_REPLACING: _("The stop no longer exists: cancelling the take profit to place both again."),
    R.ORDERS_CANCELLED: _("The orders were cancelled."),
    R.ORDER_UNKNOWN: {
        Role.STOP_LOSS: _("It is unknown whether the stop loss order exists."),
        Role.TAKE_PROFIT: _("It is unknown whether the take profit order exists."),
        Role.EXIT: _("It is unknown whether the market order exists."),
    },
    R.PAIR_UNKNOWN: _("It is unknown whether the stop loss and take profit orders exist."),
    R.ORDERS_UNKNOWN: _("It is unknown whether its orders exist."),
    R.ORDER_OF_CLOSED_GROUP: _("An order of this closed group was found."),
    R.EARLIER_ORDER_FOUND: _("An earlier order was found."),
    R.GROUP_ERROR: _("This group could not be processed: %(error)s. See the log for details."),
    # the end
    R.STOP_FILLING: {
        SELL: _("The stop is selling."),
        BUY: _("The stop is buying."),
    },
    R.STOP_PARTLY_FILLED: {
        SELL: _("The stop sold %(filled)s of %(quantity)s and ended as %(status)s."),
        BUY: _("The stop bought %(filled)s of %(quantity)s and ended as %(status)s."),
    },
    R.EXIT_NOT_FINISHED: {
        SELL: _("The market sell has not finished yet."),
        BUY: _("The market buy has not finished yet."),
    },
    R.CLOSED_BY_STOP: {
        SELL: _("The stop sold the lot."),
        BUY: _("The stop bought the lot."),
    },
    R.CLOSED_BY_TARGET: {
        SELL: _("The take profit sold the lot."),
        BUY: _("The take profit bought the lot."),
    },
    R.CLOSED_BY_EXIT: {
        SELL: _("The lot was sold at market."),
        BUY: _("The lot was bought at market."),
    },
    R.CLOSED_OUTSIDE: {
        SELL: _("The coins left the account outside this group."),
        BUY: _("The funds left the account outside this group."),
    },
    R.CLOSED_CANCELLING: {
        SELL: _("Lot sold: cancelling the remaining open orders."),
        BUY: _("Lot bought: cancelling the remaining open orders."),
    },
    R.CLOSED_WITHOUT_EVIDENCE: _(
        "The exchange had reported this order as executed. Later answers and the fills show that it was not: "
        "the protection is open again."
    ),
    R.COINS_RETURNED: {
        SELL: _(
            "%(quantity)s %(coin)s were missing in the balance and are there again; no fill explains it: "
            "they are protected again."
        ),
        BUY: _(
            "The funds for %(quantity)s %(coin)s were missing in the balance and are there again; no fill "
            "explains it: they are protected again."
        ),
    },
    R.REMAINDER: _("%(quantity)s remains: below the minimum order size."),
    R.CANCELLED_MANUALLY: _("The orders were cancelled manually on the exchange."),
    R.MERGED: _("Merged with the other lots of the same entry."),
    # orders in general
    OrderReason.TRADING_DISABLED: _("Trading is off in the settings (TRADING_ENABLED=false)."),
    OrderReason.KILL_SWITCH_ON: _("Kill switch turned on by %(name)s."),
    OrderReason.KILL_SWITCH_UNREADABLE: _("The kill switch could not be read, so it is treated as on."),
    OrderReason.ORDER_REFUSED: _("The exchange rejected the order."),
    OrderReason.ORDER_NOT_ALLOWED: _("The exchange does not let this API key trade."),
    OrderReason.ORDER_EXISTS: _("The exchange already has an order with this client order ID."),
    OrderReason.ORDER_NOT_SENT: _("The order did not reach the exchange."),
    OrderReason.OUTCOME_UNKNOWN: _("It is unknown whether the exchange executed the request."),
    OrderReason.CANCEL_TOO_LATE: _("The cancellation came too late: the order is no longer active."),
    # invariants
    Violation.SEVERAL_GROUPS: _("Lot %(lot)s has %(count)s open groups."),
    Violation.DOUBLE_ORDER: _("Lot %(lot)s has two open orders for one purpose."),
    Violation.UNRECORDED_ORDER: _("Order %(order)s carries our mark, but was never recorded."),
    Violation.DIFFERENT_END: _("Order %(order)s ended as %(here)s here, but is %(there)s on the exchange."),
    Violation.ENDED_UNKNOWN: _("Group %(group)s ended while the status of order %(order)s is unknown."),
    Violation.DIFFERENT_EXECUTION: _(
        "Lot %(lot)s counts %(counted)s as executed, its orders add up to %(reported)s."
    ),
    Violation.ORDER_LEFT: _("Order %(order)s is still open, but its group has ended."),
    Violation.OVERSOLD: _("The orders of lot %(lot)s may execute %(most)s, more than its %(bought)s."),
    Violation.OVERSOLD_ACCOUNT: _(
        "Open orders may take %(resting)s %(currency)s, more than the %(held)s held."
    ),
    Violation.STOP_TOO_SMALL: _("Group %(group)s is active, but its stop covers %(live)s of %(owned)s."),
    # policies
    PolicyChange.POLICY_CHANGED: _("%(policy)s: %(changes)s."),
    PolicyChange.POLICY_SAVED: _("%(policy)s: saved without changes."),
    PolicyChange.POLICY_REMOVED: _("%(policy)s: policy removed."),
}
ORDER_TEXTS = {
    ("SELL", "STOP_LOSS"): _("Sell at market when the mark price falls to the trigger price"),
    ("SELL", "LIMIT"): _("Sell limit"),
    ("SELL", "MARKET"): _("Sell at market"),
    ("BUY", "STOP_LIMIT"): _("Buy up to the limit price when the mark price rises to the trigger"),
    ("BUY", "LIMIT"): _("Buy limit"),
}
BUY_NOW = _("Buy at market, up to the limit price")


def render_reason(why: Reason | None) -> str:
    """One sentence for each reason, and after the first the exchange's response. Empty for None."""
    if why is None:
        return ""
    first, *others = why
    sentence, code = _sentence(first), why.exchange_code
    if not first.code and code is not None and re.search(rf"\b{code}\b", sentence):
        code = None  # a text of release 0.1.0 that names the code itself
    parts = [sentence, answer_text(first.params.get(ANSWER), code), *map(_sentence, others)]
    return escape_line(" ".join(part for part in parts if part))


def render_stored(stored: object) -> str:
    """A reason that is a parameter of another one; a text in rows of earlier versions."""
    if not isinstance(stored, Mapping):
        return str(stored)
    return render_reason(Reason.from_stored(stored["code"], stored["params"], stored["exchange_code"]))


def _sentence(one: Reason) -> str:
    if not one.code:
        return str(one.params.get(TEXT, ""))
    texts = REASON_TEXTS.get(one.code)
    if isinstance(texts, Mapping):
        texts = texts.get(str(one.params.get("side") or one.params.get("role")))
    try:
        return one.code if texts is None else str(texts) % _written(_with_policy(one.params))
    except (KeyError, TypeError, ValueError):  # parameters of another release
        return one.code


def _written(params: Mapping[str, Param]) -> dict[str, object]:
    return {
        name: value if name in NOT_NUMBERS else stored_number_text(value) for name, value in params.items()
    }


def _with_policy(params: Mapping[str, Param]) -> Mapping[str, Param]:
    """With the name of a policy and its changed fields in the reader's language."""
    if "instrument" not in params:
        return params
    name = params["instrument"] or gettext("every other instrument")
    policy = f"{name}, {gettext('sold')}" if params["side"] == ExitSide.SELL else str(name)
    changes = params.get("changes")
    rows = changes.items() if isinstance(changes, Mapping) else ()
    return {
        **params,
        "policy": policy,
        "changes": ", ".join(f"{gettext(label)} {value}" for label, value in rows),
    }


def order_text(side: str, order_type: str, role: str = "") -> str:
    if (side, role) == ("BUY", "EXIT"):
        return str(BUY_NOW)
    return str(ORDER_TEXTS.get((side, order_type), f"{side} {order_type}"))
