"""Request signatures (dossier 2), tested with vectors of others, and the credentials that make them."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping

SIGNATURE = re.compile(r"\b[0-9a-fA-F]{64}\b")
HIDDEN = "***"


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


class Credentials:
    """What a request is signed with. Neither part appears in `repr` or `str`."""

    __slots__ = ("_key", "_secret")

    def __init__(self, key: str, secret: str) -> None:
        self._key = key
        self._secret = secret

    def __repr__(self) -> str:
        return f"Credentials({HIDDEN})"

    def body(self, method: str, params: Mapping[str, object], *, id: int, nonce: int) -> bytes:
        """The signed JSON of a private request; the same values are signed and sent (dossier 1, 2.1)."""
        signature = sign(method, id, self._key, self._secret, params, nonce)
        envelope = {"id": id, "method": method, "params": params, "nonce": nonce}
        return json.dumps(envelope | {"api_key": self._key, "sig": signature}).encode()

    def stream_body(self, method: str, *, id: int, nonce: int) -> str:
        """The same for the request that opens a user stream: there are no parameters, not even empty ones (A1)."""
        signature = sign(method, id, self._key, self._secret, {}, nonce)
        return json.dumps(
            {"id": id, "method": method, "api_key": self._key, "sig": signature, "nonce": nonce}
        )

    def redact(self, text: str) -> str:
        """The text without key, secret or any signature, should the exchange repeat them."""
        for word in filter(None, (self._key, self._secret)):
            text = text.replace(word, HIDDEN)
        return SIGNATURE.sub(HIDDEN, text)
