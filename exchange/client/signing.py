"""Request signatures: the parameter string and its HMAC (dossier 2), proved by vectors we did not make."""

import hashlib
import hmac
from collections.abc import Mapping


def sign(method: str, id: int, key: str, secret: str, params: Mapping[str, object], nonce: int) -> str:
    """The lower-case hexadecimal signature of one request (dossier 2.1)."""
    payload = f"{method}{id}{key}{param_string(params)}{nonce}"
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def param_string(params: Mapping[str, object]) -> str:
    """Keys in code-point order, each followed by its value; lists without brackets at any depth (dossier 2.3).

    ValueError for values whose text differs between implementations (floats, booleans, null).
    """
    return "".join(name + _text(name, params[name]) for name in sorted(params))


def _text(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        return param_string(value)
    if isinstance(value, list | tuple):
        return "".join(_text(name, item) for item in value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(
            f"parameter {name} must be text or an integer to be signed, not {type(value).__name__}"
        )
    return str(value)
