"""The key and its secret: they sign requests and never show themselves."""

import json
import re
from collections.abc import Mapping

from exchange.client.signing import sign

SIGNATURE = re.compile(r"\b[0-9a-fA-F]{64}\b")
HIDDEN = "***"


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

    def redact(self, text: str) -> str:
        """The text without key, secret or any signature, should the exchange repeat them."""
        for word in filter(None, (self._key, self._secret)):
            text = text.replace(word, HIDDEN)
        return SIGNATURE.sub(HIDDEN, text)
