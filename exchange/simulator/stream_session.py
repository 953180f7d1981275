"""One open stream: who it is, what it subscribed to, its heartbeats, and the answer to each request (dossier 9.1).

No clock and no socket: the server calls with the seconds of its own clock and sends what comes out. All calls hold the
exchange's lock.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import access, stream_channels, stream_faults
from exchange.simulator.config import Refusal, code_name
from exchange.simulator.models import Row
from exchange.simulator.stream_channels import Channel, Endpoint
from exchange.simulator.stream_faults import NORMAL_CLOSURE, Message, MessageKind, Outgoing
from exchange.simulator.stream_feed import AccountChanges
from exchange.simulator.stream_options import StreamOptions

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

AUTH, SUBSCRIBE, UNSUBSCRIBE = "public/auth", "subscribe", "unsubscribe"
HEARTBEAT, HEARTBEAT_ANSWER, PING = "public/heartbeat", "public/respond-heartbeat", "ping"
RATE_LIMITS = {"user": 150, "market": 100}  # requests a second (dossier 4)
TOO_MANY_SUBSCRIPTIONS = 40107
PUSHED = -1  # the id of a message that answers no request
REGULAR = ("user.account_risk", "ticker", "mark")


class StreamSession:
    """`send` takes what the connection is to do; `now_s` is any clock that only goes forward."""

    def __init__(
        self, exchange: Exchange, endpoint: Endpoint, send: Callable[[Outgoing], None], now_s: float
    ) -> None:
        self._exchange, self._send = exchange, send
        self.endpoint: Endpoint = endpoint
        self.is_authenticated = False
        self.channels: dict[str, Channel] = {}
        self._held: list[Outgoing] = []
        self._is_over = False
        self._unanswered: dict[int, float] = {}
        self._heartbeat_due = now_s + self._options.first_heartbeat_s
        self._ping_due = now_s + self._options.ping_s
        self._regular_due: dict[str, float] = {}
        self._opened_ms = exchange.now()
        self._counted: dict[int, int] = {}

    @property
    def _options(self) -> StreamOptions:
        return self._exchange.account_feed.options

    # Requests

    def receive(self, text: str, now_s: float) -> None:
        """Text that is not JSON gets no answer (additions K9)."""
        try:
            request = json.loads(text, parse_float=Decimal)
        except ValueError:
            return
        if not isinstance(request, dict):
            return
        if request.get("method") == HEARTBEAT_ANSWER:
            self._answer_heartbeat(request)
            return
        try:
            self._count_request()
            self._dispatch(request, now_s)
        except Refusal as refusal:
            self._refuse(request, refusal)

    def _dispatch(self, request: Row, now_s: float) -> None:
        method = request.get("method")
        if not isinstance(method, str) or not method:
            raise Refusal(40001)
        self._check_refused(method)
        if method == AUTH and self.endpoint == "user":
            self._authenticate(request)
        elif method in (SUBSCRIBE, UNSUBSCRIBE):
            if self.endpoint == "user" and not self.is_authenticated:
                raise Refusal(40101)
            self._change_subscriptions(method, request, now_s)
        else:
            raise Refusal(40002)

    def _authenticate(self, request: Row) -> None:
        access.check_access(self._exchange, request)
        self.is_authenticated = True
        self._emit(AUTH, "answer", answer(request))

    def _change_subscriptions(self, method: str, request: Row, now_s: float) -> None:
        params = request.get("params")
        names = params.get("channels") if isinstance(params, dict) else None
        if not isinstance(names, list) or not names:
            raise Refusal(40004, "Invalid channels")
        if method == UNSUBSCRIBE:
            for name in names:
                self.channels.pop(str(name), None)
            self._emit(UNSUBSCRIBE, "answer", answer(request))
            return
        for name in names:
            self._subscribe(request, name, now_s)

    def _subscribe(self, request: Row, name: object, now_s: float) -> None:
        """One answer for each channel; the first data are in it, or it has none (additions K5)."""
        exchange, options = self._exchange, self._options
        try:
            channel = stream_channels.parse(exchange, options, self.endpoint, name)
            self._check_refused(channel.kind)
            if len(self.channels) >= options.max_subscriptions and channel.name not in self.channels:
                raise Refusal(TOO_MANY_SUBSCRIPTIONS, "Maximum subscriptions exceeded")
        except Refusal as refusal:
            self._refuse(request, refusal, channel=str(name))
            return
        self.channels[channel.name] = channel
        if channel.kind in REGULAR:
            self._regular_due[channel.name] = now_s + self._interval(channel)
        result = stream_channels.first_result(exchange, options, channel)
        if result is None:
            self._emit(channel.kind, "answer", answer(request) | {"channel": channel.name})
        else:
            self._emit(channel.kind, "first", answer(request) | {"result": result})

    def _check_refused(self, topic: str) -> None:
        for rule in self._exchange.account_feed.faults.matching_rules(topic, ["refuse"]):
            code = int(rule.detail.get("code", 40003))
            raise Refusal(code, str(rule.detail.get("message", "")))

    def _refuse(self, request: Row, refusal: Refusal, **named: str) -> None:
        """A request without a method is answered by ERROR, with the request as text (dossier 9.1)."""
        body = answer(request) | {"code": refusal.code} | named | {"message": refusal.message}
        if not request.get("method"):
            body |= {"id": PUSHED, "method": "ERROR", "original": json.dumps(request, default=str)}
        self._emit(str(body["method"]), "answer", body)

    def _count_request(self) -> None:
        """By calendar second; the second in which it connected allows only its share (hence: wait one second)."""
        if not self._exchange.limits.enabled:
            return
        ms, maximum = self._exchange.now(), RATE_LIMITS[self.endpoint]
        second = ms // 1000
        if second == self._opened_ms // 1000:
            maximum = maximum * (1000 - self._opened_ms % 1000) // 1000
        count = self._counted.get(second, 0) + 1
        self._counted = {second: count}
        if count > maximum:
            raise Refusal(42901, code_name(42901))

    # What happens by itself

    def account_changed(self, changes: AccountChanges) -> None:
        """Orders, executions, the journal, then the rest; or executions first (option event_order)."""
        found: list[tuple[int, str, Row]] = []
        for channel in self.channels.values():
            place = self._place(channel.kind)
            results = stream_channels.update_results(self._exchange, self._options, channel, changes)
            found += [(place, channel.kind, result) for result in results]
        for _, kind, result in sorted(found, key=lambda each: each[0]):
            self._emit(kind, "update", pushed(result))

    def _place(self, kind: str) -> int:
        if kind == "user.trade":
            return 0 if self._options.event_order == "trade_first" else 2
        return 1 if kind in stream_channels.ORDER_CHANNELS else 3

    def tick(self, now_s: float) -> None:
        """Send what is due: pings, heartbeats, regular messages; or close, when heartbeats are not answered."""
        if self._is_over:
            return
        options = self._options
        if now_s >= self._ping_due:
            self._ping_due = now_s + options.ping_s
            self._emit(PING, "ping", {})
        if self._is_silent(now_s):
            self._is_over = True
            self.drop(NORMAL_CLOSURE)
        elif now_s >= self._heartbeat_due:
            self._heartbeat_due = now_s + options.heartbeat_s
            self._send_heartbeat(now_s)
        for channel in list(self.channels.values()):
            if now_s >= self._regular_due.get(channel.name, now_s + 1):
                self._regular_due[channel.name] = now_s + self._interval(channel)
                result = stream_channels.regular_result(self._exchange, options, channel)
                self._emit(channel.kind, "update", pushed(result))

    def next_due_s(self) -> float:
        """When `tick` has something to do again, unless something else happens first."""
        if self._is_over:
            return float("inf")
        regular = [due for name, due in self._regular_due.items() if name in self.channels]
        answers = (
            [due + self._options.answer_s for due in self._unanswered.values()]
            if self._options.unanswered == "closed_after_answer_s"
            else []
        )
        return min(self._heartbeat_due, self._ping_due, *regular, *answers)

    def _is_silent(self, now_s: float) -> bool:
        """Both rules of additions K3: five seconds, or the third heartbeat in a row."""
        if self._options.unanswered == "closed_at_third":
            return len(self._unanswered) >= 2 and now_s >= self._heartbeat_due
        return any(now_s >= sent + self._options.answer_s for sent in self._unanswered.values())

    def _send_heartbeat(self, now_s: float) -> None:
        number = max(self._exchange.now(), *(each + 1 for each in self._unanswered), 0)
        self._unanswered[number] = now_s
        self._emit(HEARTBEAT, "heartbeat", {"id": number, "method": HEARTBEAT, "code": 0})

    def _answer_heartbeat(self, request: Row) -> None:
        """It gets no reply (additions K3)."""
        if str(request.get("id")) in map(str, self._unanswered):
            self._unanswered.clear()

    def _interval(self, channel: Channel) -> float:
        return self._options.account_risk_s if channel.is_user else self._options.market_s

    # Out

    def drop(self, code: int | None, reason: str = "") -> None:
        self._send(Outgoing("reset") if code is None else Outgoing("close", code=code, reason=reason))

    def describe(self) -> dict[str, object]:
        return {
            "endpoint": self.endpoint,
            "authenticated": self.is_authenticated,
            "channels": list(self.channels),
            "unanswered_heartbeats": len(self._unanswered),
        }

    def _emit(self, topic: str, kind: MessageKind, body: Row) -> None:
        faults = self._exchange.account_feed.faults
        message = Message(topic, kind, body)
        rules = faults.matching_rules(topic, stream_faults.kinds_for(message, list(faults.kinds)))
        for each in stream_faults.outgoing(message, rules):
            if each.last:
                self._held.append(replace(each, last=False))
                continue
            self._send(each)
            while self._held:
                self._send(self._held.pop(0))


def answer(request: Row) -> dict[str, Any]:
    """The id as a number, -1 when there is none (dossier 1)."""
    given = str(request.get("id"))
    return {"id": int(given) if given.isdigit() else PUSHED, "method": request.get("method"), "code": 0}


def pushed(result: Row) -> Row:
    return {"id": PUSHED, "method": SUBSCRIBE, "code": 0, "result": result}
