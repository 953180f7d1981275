"""The simulator on a real socket."""

from collections.abc import Iterable
from typing import Any

import pytest
import requests

from exchange.simulator.server import running_server, serve


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    body = environ["PATH_INFO"].encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def test_it_answers_on_loopback_and_keeps_the_connection() -> None:
    with running_server(echo) as address, requests.Session() as session:
        assert address.startswith("http://127.0.0.1:")
        answers = [session.get(f"{address}/{word}", timeout=5) for word in ("one", "two")]
        assert [answer.text for answer in answers] == ["/one", "/two"]
        assert all(answer.headers.get("Connection", "keep-alive").lower() != "close" for answer in answers)


def test_it_is_gone_afterwards() -> None:
    with running_server(echo) as address:
        pass
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=5)


def test_it_does_not_serve_other_machines() -> None:
    with pytest.raises(ValueError, match="only serves this machine"):
        serve(echo, host="0.0.0.0")


def test_a_taken_port_is_an_error_at_once() -> None:
    with running_server(echo) as address, pytest.raises(OSError):
        serve(echo, port=int(address.rpartition(":")[2]))
