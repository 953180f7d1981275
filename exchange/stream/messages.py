"""What the user stream says, message by message (dossier 9; additions A1, A2, K5). Pure: text in, values out.

Anything may be missing, new, or a number where text is documented; and the first rows of a channel may come under
another channel name than those that follow.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from exchange.client.responses import Envelope, UnreadableResponse, parse_object, read_envelope
from exchange.schemas import parsing
from exchange.schemas.parsing import Row

HEARTBEAT, RESPOND_HEARTBEAT = "public/heartbeat", "public/respond-heartbeat"
AUTH, SUBSCRIBE = "public/auth", "subscribe"
UNREADABLE_REQUEST = "ERROR"


class Channel(StrEnum):
    """The channels of an account; the value is the spelling that the documents use most."""

    ORDERS = "user.order"
    ADVANCED_ORDERS = "user.advance.order"
    TRADES = "user.trade"
    BALANCE = "user.balance"
    POSITIONS = "user.positions"
    RISK = "user.account_risk"
    TRANSACTIONS = "user.transactions"


OTHER_SPELLINGS = {Channel.ADVANCED_ORDERS: "user.advanced.order"}  # in some of the documents (additions K6)
ESSENTIAL = frozenset({Channel.ORDERS, Channel.ADVANCED_ORDERS, Channel.TRADES, Channel.BALANCE})


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """To be answered with the same id, within 5 s by the documents (additions K3)."""

    id: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request of ours; `channel` where it speaks of one."""

    envelope: Envelope
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """Rows of a channel, as sent. `unreadable`: how many were no rows. No `instrument_name`: rows of all of them."""

    channel: Channel
    rows: Sequence[Row]
    instrument_name: str = ""
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class UnknownMessage:
    """Of a kind or a channel that nobody described."""

    method: str


Message = Heartbeat | Answer | StreamEvent | UnknownMessage


def parse_message(text: str | bytes, redact: Callable[[str], str]) -> list[Message]:
    """What one message says: the first rows of a channel are also the answer to its subscription.

    Raises UnreadableResponse.
    """
    message = parse_object(text.encode(errors="replace") if isinstance(text, str) else text)
    if message.get("method") == HEARTBEAT:
        return [Heartbeat(_heartbeat_id(message))]
    result = message.get("result")
    if "code" not in message and not isinstance(result, Mapping):
        return [UnknownMessage(str(message.get("method") or ""))]
    envelope = read_envelope({"code": 0, **message}, redact)
    named = result if isinstance(result, Mapping) else message
    channel = channel_of(named.get("subscription")) or channel_of(named.get("channel"))
    is_push = envelope.method == SUBSCRIBE and envelope.code == 0 and isinstance(result, Mapping)
    if is_push and channel is None:
        return [UnknownMessage(SUBSCRIBE)]
    messages: list[Message] = []
    if envelope.request_id is not None or not is_push:
        messages.append(Answer(envelope, channel))
    if is_push and channel is not None:
        messages.append(_event(channel, result))
    return messages


def _heartbeat_id(message: Mapping[str, Any]) -> int:
    try:
        return parsing.required_integer(message, "id")
    except ValueError:
        raise UnreadableResponse("a heartbeat without an id") from None


def _event(channel: Channel, result: Any) -> StreamEvent:
    data = result.get("data")
    rows = data if isinstance(data, list) else []
    readable = [row for row in rows if isinstance(row, Mapping)]
    name = result.get("instrument_name")
    return StreamEvent(channel, readable, name if isinstance(name, str) else "", len(rows) - len(readable))


def channel_of(name: object) -> Channel | None:
    """The channel of a name as the exchange writes it: alone, or followed by an instrument."""
    for channel in Channel:
        for spelling in (channel.value, OTHER_SPELLINGS.get(channel, channel.value)):
            if isinstance(name, str) and (name == spelling or name.startswith(f"{spelling}.")):
                return channel
    return None
