"""The exchange's side of signing (dossier 2), written apart from the client's so that each can catch the other."""

import hashlib
import hmac
from typing import Any


def param_text(value: Any, *, brackets: bool = False, inner: bool = False) -> str:
    """Objects by sorted key, arrays in order, null as `null`. `brackets`: the Java form of nested scalar arrays."""
    if isinstance(value, dict):
        return "".join(key + param_text(value[key], brackets=brackets, inner=inner) for key in sorted(value))
    if isinstance(value, list):
        return _array_text(value, brackets=brackets, inner=inner)
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _array_text(values: list[Any], *, brackets: bool, inner: bool) -> str:
    if brackets and inner and not any(isinstance(each, dict) for each in values):
        return "[" + ", ".join(param_text(each) for each in values) + "]"
    return "".join(param_text(each, brackets=brackets, inner=True) for each in values)


def signature(body: dict[str, Any], secret: str, *, brackets: bool = False) -> str:
    """The sig that this request body must carry, in lower-case hex."""
    head = f"{body.get('method', '')}{body.get('id', '')}{body.get('api_key', '')}"
    text = head + param_text(body.get("params", {}), brackets=brackets) + str(body.get("nonce", ""))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def is_signed(body: dict[str, Any], secret: str, *, brackets: bool = False) -> bool:
    """Compared without regard to case, as the official verifier does."""
    expected = signature(body, secret, brackets=brackets)
    return hmac.compare_digest(expected.encode(), str(body.get("sig", "")).lower().encode())
