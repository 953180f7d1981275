"""Every way a call can fail, as exceptions with a one-sentence message.

Which exception a result code becomes depends on its action class and on the kind of request (dossier 3, 3.2).
"""

from enum import StrEnum

from exchange.client.clock import MAX_CLOCK_OFFSET_MS
from exchange.client.error_codes import AUTH, CODES, UNCERTAIN_ON_WRITE, ActionClass, CodeInfo, action_of
from exchange.core.reasons import Problem, Sentence, SyncReason, problem
from exchange.core.texts import escape_line

NONCE_CODE = 40102

__all__ = [
    "CODES",
    "UNCERTAIN_ON_WRITE",
    "ActionClass",
    "AuthError",
    "BadResponse",
    "ClockError",
    "CodeInfo",
    "DuplicateOrder",
    "ExchangeError",
    "Maintenance",
    "NotActive",
    "NotFound",
    "NotSent",
    "NotTried",
    "RateLimited",
    "Refused",
    "RequestKind",
    "TryLater",
    "UnknownOutcome",
    "Unreachable",
    "action_of",
    "describe_code",
    "describe_nonce_refusal",
    "error_class_for",
    "not_tried",
    "part_text",
    "remedy_for",
    "timed_out",
]


class RequestKind(StrEnum):
    """What was asked. A read may be repeated; a create or cancel is sent once."""

    READ = "READ"
    CREATE = "CREATE"
    CANCEL = "CANCEL"


class ExchangeError(Exception):
    """A call failed. `str()` is one sentence with the code in brackets, never a key."""

    lead = "{method} failed"

    def __init__(
        self,
        *,
        method: str,
        message: str,
        code: int | None = None,
        request_id: int | None = None,
        order_id: str | None = None,
        client_oid: str | None = None,
        remedy: str = "",
    ) -> None:
        self.method = method
        self.message = message if isinstance(message, Sentence) else escape_line(message)
        self.code = code
        self.request_id = request_id
        self.order_id = order_id
        self.client_oid = client_oid
        self.remedy = remedy
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        code = f" [{self.code}]" if self.code is not None else ""
        remedy = f" - {self.remedy}" if self.remedy else ""
        return f"{self.lead.format(method=self.method)}: {self.message}{code}{remedy}"

    def sentence(self, part: str = "", *, name: str = "") -> Sentence:
        """Also as a reason: which read failed, of what, and what the exchange answered."""
        cause = {"kind": type(self).__name__, "method": self.method, "answer": self.message}
        if not part:
            return Sentence(str(self), SyncReason.CALL_FAILED, exchange_code=self.code, **cause)
        text = f"{part_text(part, name)}: {self}"
        params = cause | {"part": part, "name": name}
        return Sentence(text, SyncReason.READ_FAILED, exchange_code=self.code, **params)


def part_text(part: str, name: str) -> str:
    return f"{part} {name}".rstrip()


def timed_out(part: str, *, name: str = "") -> Sentence:
    text = f"{part_text(part, name)}: no answer in time."
    return Sentence(text, SyncReason.READ_TIMED_OUT, part=part, name=name)


def not_tried(part: str, *, name: str = "") -> Sentence:
    text = f"{part_text(part, name)}: not tried, the exchange is too slow or does not answer."
    return Sentence(text, SyncReason.READ_NOT_TRIED, part=part, name=name)


class NotTried(ExchangeError):
    """A read that was not sent: what comes before it has used its time. It proves nothing."""

    lead = "{method} was not tried"

    def sentence(self, part: str = "", *, name: str = "") -> Sentence:
        return not_tried(part or self.method, name=name)


class Unreachable(ExchangeError):
    """No usable answer: no connection, no reply in time, a page instead of data, an internal error."""

    lead = "The exchange did not answer {method}"


class NotSent(Unreachable):
    """A write that never left this machine, because no connection could be made. It was not executed."""

    lead = "{method} was not sent"


class Maintenance(Unreachable):
    """The exchange is closed for maintenance (9010001, on reads)."""


class BadResponse(ExchangeError):
    """A read was answered with something that cannot be understood."""

    lead = "The answer to {method} cannot be understood"


class UnknownOutcome(ExchangeError):
    """A write may or may not have been executed: look the order up by client_oid, never send again."""

    lead = "The outcome of {method} is unknown"


class DuplicateOrder(UnknownOutcome):
    """An order with this client_oid exists already (204): look it up."""

    lead = "{method} names an order that exists already"


class Refused(ExchangeError):
    """Rejected for good: the same request would be rejected again."""

    lead = "{method} was refused"


class TryLater(ExchangeError):
    """Rejected for now: the same request may succeed later."""

    lead = "{method} was refused for now"


class AuthError(ExchangeError):
    """The key, its rights or its allow-list; nothing was executed and a person has to act."""

    lead = "{method} was not allowed"


class ClockError(AuthError):
    """This machine's clock is more than 60 seconds off (40102); nothing was executed."""


class RateLimited(ExchangeError):
    """Too many requests; this one was not executed."""

    lead = "{method} was sent too often"


class NotFound(ExchangeError):
    """The exchange does not know it (40401). Of an order younger than 2 s this proves nothing (dossier 3)."""

    lead = "{method} found nothing"


class NotActive(ExchangeError):
    """A cancel came too late: the order is already terminal, read its final state (316, 212)."""

    lead = "{method} came too late"


READ_ERRORS: dict[ActionClass, type[ExchangeError]] = {
    ActionClass.FINAL: Refused,
    ActionClass.WAIT: TryLater,
    ActionClass.RECONCILE: Unreachable,
    ActionClass.AUTH: AuthError,
    ActionClass.RATE: RateLimited,
    ActionClass.END: Refused,
}
# A write answered with how its order ended leaves an order record behind: END is looked at, too.
WRITE_ERRORS = READ_ERRORS | {
    ActionClass.RECONCILE: UnknownOutcome,
    ActionClass.END: UnknownOutcome,
}
SPECIAL_ERRORS: dict[tuple[RequestKind, int], type[ExchangeError]] = {
    (RequestKind.READ, 40401): NotFound,
    (RequestKind.READ, 9010001): Maintenance,
    (RequestKind.CREATE, 204): DuplicateOrder,
    (RequestKind.CANCEL, 40401): NotFound,
    (RequestKind.CANCEL, 316): NotActive,
    (RequestKind.CANCEL, 212): NotActive,
}


def error_class_for(kind: RequestKind, code: int, *, has_ids: bool = False) -> type[ExchangeError]:
    """The exception for a non-zero code; 40401, 316 and 212 on a cancel hold with or without ids."""
    special = SPECIAL_ERRORS.get((kind, code))
    if special is not None:
        return special
    action = action_of(code, has_ids=has_ids, write=kind is not RequestKind.READ)
    if action is AUTH and code == NONCE_CODE:
        return ClockError
    return (READ_ERRORS if kind is RequestKind.READ else WRITE_ERRORS)[action]


def describe_code(code: int, exchange_message: str) -> str:
    """The meaning of a code in our words, with the exchange's own wording where it adds something."""
    info = CODES.get(code)
    if info is None:
        return exchange_message or problem(Problem.UNKNOWN_CODE)
    return (
        info.meaning
        if exchange_message in ("", info.name, "NO_ERROR")
        else f"{info.meaning} ({exchange_message})"
    )


REMEDIES = {
    40101: "check that key and secret were copied whole, belong to this environment (production and the UAT "
    "sandbox have separate keys) and that the key may read and trade",
    40103: "add this machine's public IP address to the key's allow-list; if it has IPv6 as well as IPv4 the "
    "call may have left over IPv6, so allow both addresses or use IPv4 only",
    40104: "the account's verification level or the key's permissions do not cover this; check both in the "
    "exchange's settings",
    306: "free some balance or make the order smaller",
    318: "cancel some open orders first",
    415: "make the order larger; every spot order needs at least 1 USD",
}


def remedy_for(code: int, clock_offset_ms: int | None) -> str:
    """What a person can do about a code; the clock's remedy names the measured offset."""
    return clock_remedy(clock_offset_ms) if code == NONCE_CODE else REMEDIES.get(code, "")


def clock_remedy(offset_ms: int | None) -> str:
    """`offset_ms` is the exchange's clock minus ours."""
    advice = "set the clock of this machine (NTP)"
    if offset_ms is None:
        return advice
    if abs(offset_ms) <= MAX_CLOCK_OFFSET_MS:
        seconds = abs(offset_ms) / 1000
        return f"the Date header of its answers agrees within {seconds:.1f} s, but {describe_nonce_refusal()}"
    direction = "behind" if offset_ms > 0 else "ahead of"
    return f"this machine's clock is about {abs(offset_ms) / 1000:.1f} s {direction} the exchange's; {advice}"


def describe_nonce_refusal() -> str:
    """What 40102 means while the Date header agrees with our clock: one of the two is not the exchange's time."""
    return (
        f"it refuses the time that is sent with each call [{NONCE_CODE}]. Compare this machine's clock with NTP; if it "
        "is right, the exchange's own clocks disagree, or a proxy writes the header: try again later."
    )
