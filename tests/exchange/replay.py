"""A connection that plays prepared answers in order and keeps what was asked. Nothing leaves the process."""

import io
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import requests
from requests.adapters import BaseAdapter

from exchange.client.client import Client

BASE_URL = "http://exchange.test/exchange/v1"
KEY = "key-that-must-not-show"
SECRET = "secret-that-must-not-show"
START_MS = 1_790_000_000_000

Answer = Callable[[requests.PreparedRequest], requests.Response] | Exception


class Replay(BaseAdapter):
    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self.answers = list(answers)
        self.sent: list[requests.PreparedRequest] = []
        self.options: list[dict[str, Any]] = []

    def send(self, request, **options):
        self.sent.append(request)
        self.options.append(options)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer(request)

    def close(self) -> None:
        """Nothing is open."""

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.sent]


class Clock:
    """Stands still unless somebody sleeps."""

    def __init__(self, ms: int = START_MS) -> None:
        self.ms = ms
        self.slept: list[float] = []

    def now(self) -> int:
        return self.ms

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ms += round(seconds * 1000)


def raw(body: bytes, status: int = 200, **headers: str) -> Answer:
    """These bytes, whatever was asked."""

    def respond(request: requests.PreparedRequest) -> requests.Response:
        response = requests.Response()
        response.status_code = status
        response.raw = io.BytesIO(body)
        response.request = request
        response.headers.update(headers)
        return response

    return respond


def envelope(status: int = 200, date: str = "", **fields: Any) -> Answer:
    """An answer that echoes id and method, as the exchange does, unless `fields` says otherwise."""

    def respond(request: requests.PreparedRequest) -> requests.Response:
        asked = json.loads(request.body) if request.body else {"id": -1, "method": ""}
        body = {"id": asked["id"], "method": asked["method"], "code": 0, **fields}
        headers = {"Date": date} if date else {}
        return raw(json.dumps(body).encode(), status, **headers)(request)

    return respond


def ok(result: Any = None) -> Answer:
    return envelope(result={} if result is None else result)


def rows(*items: Any) -> Answer:
    return ok({"data": list(items)})


def error_response(code: Any, status: int = 400, **fields: Any) -> Answer:
    return envelope(status, code=code, **fields)


def client_of(replay: Replay, clock: Clock | None = None, **options: Any) -> Client:
    clock = clock or Clock()
    session = requests.Session()
    session.mount("http://", replay)
    return Client(BASE_URL, KEY, SECRET, session=session, now_ms=clock.now, sleep=clock.sleep, **options)


def loads(text: str) -> Any:
    """JSON as the client reads it: fractions stay exact."""
    return json.loads(text, parse_float=Decimal)


ORDER = {
    "order_id": "4989988582751289512",
    "client_oid": "mine-1",
    "order_type": "LIMIT",
    "side": "BUY",
    "quantity": "23",
    "limit_price": "0.04470",
    "status": "ACTIVE",
    "instrument_name": "CRO_USD",
    "create_time": 1785587290558,
}
TRADE = {
    "trade_id": "1",
    "order_id": "2",
    "instrument_name": "CRO_USD",
    "side": "BUY",
    "traded_quantity": "18",
    "traded_price": "0.05475",
    "fees": "-0.0045333",
    "create_time": 1785587305885,
}
