"""Raw requests, for what the real client would never send."""

from __future__ import annotations

import json
from typing import Any

import requests

from exchange.simulator.access import signature
from tests.exchange.simulator.world import KEY, SECRET, URL, World

Reply = tuple[int, dict[str, Any]]


def post(world: World, method: str, params: Any = None, /, **fields: Any) -> Reply:
    """A signed POST; `fields` replace parts of the body after (or, for id and nonce, before) signing.

    A field given as None is left out.
    """
    body: dict[str, Any] = {"id": 7, "method": method, "api_key": KEY, "nonce": world.now_ms()}
    body["params"] = {} if params is None else params
    body |= {name: fields[name] for name in ("id", "nonce") if fields.get(name) is not None}
    body["sig"] = signature(body, SECRET)
    body = {name: value for name, value in (body | fields).items() if value is not None}
    return send(world, "POST", method, data=json.dumps(body))


def get(world: World, method: str, **query: Any) -> Reply:
    return send(world, "GET", method, params=query)


def send(world: World, verb: str, method: str, **options: Any) -> Reply:
    headers = options.pop("headers", {"Content-Type": "application/json"})
    answer = world.session().request(verb, f"{URL}/{method}", headers=headers, timeout=10, **options)
    return answer.status_code, answer.json()


def code(reply: Reply) -> int:
    return int(reply[1]["code"])


def raw_text(world: World, verb: str, path: str) -> requests.Response:
    return world.session().request(verb, f"http://simulator{path}", timeout=10)
