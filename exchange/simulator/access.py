"""Who may call: key, address, signature and nonce of a private request (dossier 1, 2.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from exchange.simulator.codes import Refusal
from exchange.simulator.signature import is_signed

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

NONCE_WINDOW_MS = 60_000
DIGITS = re.compile(r"-?\d+")


def check_envelope(x: Exchange, body: dict[str, Any], method: str) -> None:
    """The fields of dossier 1: method repeated, id a 64-bit number, params an object."""
    if body.get("method") != method:
        raise Refusal(40001, "method")
    identity = body.get("id")
    if isinstance(identity, str) and x.quirks.id_type == "number":
        raise Refusal(40001, "id")
    if identity is not None and not DIGITS.fullmatch(str(identity)):
        raise Refusal(40001, "id")
    if identity is not None and not 0 <= int(identity) < 2**63:
        raise Refusal(40001, "id")
    if "params" not in body:
        raise Refusal(10004)
    if not isinstance(body["params"], dict):
        raise Refusal(40001, "params")


def check_access(x: Exchange, body: dict[str, Any]) -> None:
    """40103 for the address, 40101 for key, signature or a nonce that is no integer, 40102 for its time."""
    if not x.ip_allowed:
        raise Refusal(40103)
    secret = x.keys.get(str(body.get("api_key")))
    if secret is None or not is_signed(body, secret, brackets=x.quirks.nested_exec_inst == "brackets"):
        raise Refusal(40101)
    check_nonce(x, body.get("nonce"))


def check_nonce(x: Exchange, nonce: Any) -> None:
    if isinstance(nonce, bool) or not DIGITS.fullmatch(str(nonce)):
        raise Refusal(40101, "nonce")
    value = int(nonce)
    if abs(value - x.at_ms) > NONCE_WINDOW_MS:
        raise Refusal(40102)
    repeated = value in x.nonces if x.quirks.nonce_rule == "unique" else value <= max(x.nonces, default=0)
    if x.quirks.nonce_rule != "free" and repeated:
        raise Refusal(40006)
    x.nonces.append(value)


def check_rate(x: Exchange, method: str) -> None:
    if not x.limits.allow(method, x.at_ms, x.quirks):
        raise Refusal(42901)
