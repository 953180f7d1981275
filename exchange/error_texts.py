"""What the exchange answered, and why a cycle failed, in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.client.error_codes import CODES
from exchange.client.errors import remedy_for
from exchange.core.reasons import PROBLEM_TEXTS, TEXT, Param, Reason, SyncReason
from exchange.core.texts import escape_line

CALL_TEXTS: dict[str, Promise] = {
    "ExchangeError": _("%(method)s failed"),
    "Unreachable": _("the exchange did not answer %(method)s"),
    "Maintenance": _("the exchange did not answer %(method)s"),
    "NotSent": _("%(method)s was not sent"),
    "NotTried": _("%(method)s was not tried"),
    "BadResponse": _("the answer to %(method)s cannot be understood"),
    "UnknownOutcome": _("the outcome of %(method)s is unknown"),
    "DuplicateOrder": _("%(method)s names an order that exists already"),
    "Refused": _("%(method)s was refused"),
    "TryLater": _("%(method)s was refused for now"),
    "AuthError": _("%(method)s was not allowed"),
    "ClockError": _("%(method)s was not allowed"),
    "RateLimited": _("%(method)s was sent too often"),
    "NotFound": _("%(method)s found nothing"),
    "NotActive": _("%(method)s came too late"),
}
PARTS: dict[str, Promise] = {
    "Open orders (plain)": _("Open orders (plain)"),
    "Open orders (advanced)": _("Open orders (advanced)"),
    "Trades": _("Trades"),
    "Balances": _("Balances"),
    "Tickers": _("Tickers"),
    "Positions": _("Positions"),
    "Instruments": _("Instruments"),
    "Order": _("Order"),
    "Order history (orders)": _("Order history (orders)"),
    "Order history (advanced orders)": _("Order history (advanced orders)"),
    "History": _("History"),
    "Account": _("Account"),
    "Candles of": _("Candles of"),
    "Mark price of": _("Mark price of"),
    "Rates of past trades": _("Rates of past trades"),
    "Ticker of": _("Ticker of"),
    "Order book of": _("Order book of"),
    "Looking for an order of ours": _("Looking for an order of ours"),
    "Reading back": _("Reading back"),
    "Confirming what became of an order": _("Confirming what became of an order"),
}
ERROR_TEXTS: dict[str, Promise | str] = {
    SyncReason.READ_FAILED: _("%(part)s: %(call)s. %(answer)s"),
    SyncReason.READ_NOT_TRIED: _("%(part)s: not tried, the exchange is too slow or does not answer."),
    SyncReason.READ_TIMED_OUT: _("%(part)s: no answer in time."),
    SyncReason.CALL_FAILED: _("%(call)s. %(answer)s"),
    SyncReason.ACCOUNT_UNREADABLE: _("The account could not be read. %(cause)s"),
    SyncReason.CYCLE_STOPPED: _("The process was stopped in the middle of this cycle."),
    SyncReason.CYCLE_FAILED: _("An unexpected error ended the cycle: %(error)s. The log has the details."),
    SyncReason.NOT_IN_CATALOGUE: _(
        "%(name)s: the exchange's list of instruments does not contain it, so nothing of it can be protected."
    ),
    SyncReason.GROUP_FAILED: _("%(name)s: this group could not be processed: %(error)s. See the log."),
    SyncReason.NOT_TAKEN: _("%(name)s could not be taken into protection."),
    SyncReason.NOT_SPOT: _(
        "%(name)s: the exchange's list of instruments says that it is no spot pair, so it is not protected."
    ),
    SyncReason.SALE_NOT_BOUGHT_BACK: _(
        "%(name)s: a sale is not bought back, because the records do not tell whose it was."
    ),
    SyncReason.ROW_NOT_BELIEVED: _("%(method)s: %(row)s is not believed, %(problem)s."),
    SyncReason.NO_COINS: _(
        "Balances: the exchange returned no coins, although %(names)s were held. Ignored."
    ),
    SyncReason.NO_POSITIONS: _("Positions: the exchange returned none, although some were open. Ignored."),
    SyncReason.VALUE_NOT_RECORDED: _(
        "What the account is worth and has cost could not be recorded. The log has the details."
    ),
    SyncReason.WATCHLIST_NOT_RECORDED: _(
        "The prices of the watchlist could not be recorded. The log has the details."
    ),
    SyncReason.EXECUTIONS_LEFT: _(
        "Executions between %(start)s and %(end)s UTC are still to be read; what was bought then has no stop yet."
    ),
    SyncReason.OTHER_ENVIRONMENT: _(
        "This database is the record of account %(account)s in %(environment)s, but this program now runs in "
        "%(found)s. Nothing was read or changed. Put the keys back, or give this account a database of its own "
        "(DATABASE_URL)."
    ),
    SyncReason.OTHER_ACCOUNT: _(
        "This database is the record of account %(account)s in %(environment)s, but the key now belongs to account "
        "%(found)s in %(where)s. Nothing was read or changed. Put the keys back, or give this account a database of "
        "its own (DATABASE_URL)."
    ),
    SyncReason.LEASE_LOST: _("The lease of %(holder)s ran out and went to another holder; this cycle stops."),
    SyncReason.DATABASE_FAILED: "%(problem)s",
}


def render_errors(errors: Sequence[object], reasons: Sequence[Mapping[str, Any] | None]) -> list[str]:
    """Each error by its reason; one without a reason, or with one of another release, as it was stored."""
    padded = [*reasons, *[None] * len(errors)]
    return [_render(str(text), stored) for text, stored in zip(errors, padded, strict=False)]


def stored_errors_text(params: Mapping[str, Any], name: str) -> str:
    """The errors of a cycle in an alert: `texts` with `reasons`, or a text of an earlier version."""
    stored = params[name]
    if not isinstance(stored, Mapping):
        return str(stored)
    return " ".join(render_errors(stored["texts"], stored["reasons"]))


def stored_problem_text(params: Mapping[str, Any], name: str) -> str:
    """What is wrong with a row in an alert; a text of an earlier version as it was stored."""
    return problem_text(params[name])


def _render(text: str, stored: Mapping[str, Any] | None) -> str:
    if not stored or stored.get("code") not in ERROR_TEXTS:
        return text
    params, code = dict(stored["params"]), stored.get("exchange_code")
    part = PARTS.get(params.get("part", ""), params.get("part", ""))
    try:
        if "kind" in params:
            params["call"] = str(CALL_TEXTS[params["kind"]]) % params
            params["answer"] = answer_text(params["answer"], code)
        if "cause" in params:
            params["cause"] = _render("", params["cause"])
        if "problem" in params:
            params["problem"] = problem_text(params["problem"])
        params["part"] = f"{part} {params.get('name', '')}".rstrip()
        found = str(ERROR_TEXTS[stored["code"]]) % params
        has_method_first = bool(params.get("method")) and found.startswith(str(params["method"]))
        return escape_line(found if has_method_first else str(capfirst(found)))
    except (KeyError, TypeError, ValueError):
        return text


def reason_text(why: Reason | None) -> str:
    """What is wrong with a row or a range of history; a row of an earlier version as it was stored."""
    if why is None:
        return ""
    return problem_text(why.stored) if why.code else str(why.params[TEXT])


def problem_text(stored: object) -> str:
    """One of `Problem` as a parameter of a reason; a text in rows of earlier versions."""
    if not isinstance(stored, Mapping):
        return str(stored)
    params = {name: problem_text(value) for name, value in stored["params"].items()}
    try:
        return escape_line(gettext(PROBLEM_TEXTS[stored["code"]]) % params)
    except (KeyError, TypeError, ValueError):  # a code of another release
        return str(stored["params"].get(TEXT, stored["code"]))


def answer_text(words: Param, code: int | None) -> str:
    """The code with its meaning and remedy; the exchange's message if it adds something."""
    if isinstance(words, Mapping):  # our own: with a code, the code says it
        words = problem_text(words) if code is None else ""
    own = str(words or "").strip(" .")
    known = CODES.get(code) if code is not None else None
    if known is not None:
        own = own.removeprefix(known.meaning).strip(" ()")
    if own and code is not None:
        own = gettext("Exchange message: %(words)s") % {"words": own}
    return " ".join(part for part in (code_text(code), f"{capfirst(own)}." if own else "") if part)


def code_text(code: int | None) -> str:
    """The exchange's code with its meaning and remedy; empty for None."""
    if code is None:
        return ""
    known, remedy = CODES.get(code), remedy_for(code, None)
    meaning = gettext(known.meaning) if known else gettext("unknown exchange code")
    text = gettext("Exchange code %(code)s: %(meaning)s.") % {"code": code, "meaning": meaning}
    return f"{text} {capfirst(gettext(remedy))}." if remedy else text
