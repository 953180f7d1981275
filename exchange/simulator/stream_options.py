"""How the streams behave: intervals, what is not documented, and the faults that can be injected into them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from exchange.simulator.faults import Phase

# A rule's `method` is a glob of what a message is about: "public/auth", "subscribe", "unsubscribe", "public/heartbeat",
# "ping", or a channel without its instrument ("user.order", for its answers, snapshots and updates).
STREAM_KINDS: dict[str, Phase] = {
    "refuse": "answer",  # code, message?: the request, or the subscription of the channel, is refused
    "drop": "after",  # the message is never sent
    "mute": "after",  # snapshots and updates are not sent; answers and heartbeats are
    "delay": "after",  # ms: the message comes late, and others may pass it
    "late_snapshot": "after",  # ms: only the first message of a channel comes late
    "duplicate": "after",  # the message is sent twice
    "reorder": "after",  # the message is sent after the next one
    "unknown_fields": "after",  # additional, undocumented fields
    "unknown_channel": "after",  # a message of an undocumented channel comes first
    "numbers": "after",  # amounts and prices as JSON numbers
    "lie": "after",  # values: what rows say instead; where?: only rows with these values
    "garbage": "after",  # text that is not JSON
    "truncate": "after",  # keep?: the text is cut (share of its characters)
    "close": "after",  # code?, reason?: the connection is closed instead
    "reset": "after",  # the connection is reset (RST) instead
    "dead": "after",  # the connection stays open, and from now on nothing comes: no answer, no heartbeat, no pong
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """Seconds are real ones, whatever the exchange's clock says (dossier 9, additions K2 to K6, A2)."""

    first_heartbeat_s: float = 12.0  # K3: 5 to 27 s after connecting
    heartbeat_s: float = 30.0
    answer_s: float = 5.0
    unanswered: Literal["closed_after_answer_s", "closed_at_third"] = "closed_after_answer_s"  # K3
    ping_s: float = 5.0  # K4
    account_risk_s: float = 5.0  # A2: "on a regular basis", not documented
    market_s: float = 1.0  # K2
    tick_s: float = 0.25  # how often time passes on the exchange while a stream is open
    advanced_spelling: Literal["both", "user.advance.order", "user.advanced.order"] = "both"  # K6, D15
    snapshot_channel: Literal["subscription", "channel"] = (
        "subscription"  # A2: user.order.CRO_USD, or user.order
    )
    positions_first: Literal["snapshot", "answer"] = "snapshot"  # A2: not documented
    fresh_positions: Literal["exact", "zero_mark"] = "exact"  # A2: zero mark and profit right after a push
    event_order: Literal["order_first", "trade_first"] = "order_first"  # A3
    max_subscriptions: int = 400  # K9

    def with_changes(self, changes: dict[str, Any]) -> StreamOptions:
        """A copy with some fields changed. Raises ValueError for an unknown field or value."""
        hints = get_type_hints(StreamOptions)
        for name, value in changes.items():
            if name not in hints:
                raise ValueError(f"no stream option is called {name}")
            if get_origin(hints[name]) is Literal:
                if value not in get_args(hints[name]):
                    raise ValueError(f"{name} is one of {get_args(hints[name])}, not {value!r}")
            elif isinstance(value, bool) or not float(value) > 0:
                raise ValueError(f"{name} is a number above 0, not {value!r}")
        numbers = {name: hints[name](value) for name, value in changes.items() if hints[name] in (int, float)}
        return replace(self, **{**changes, **numbers})

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
