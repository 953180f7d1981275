"""The `client_oid` of our orders: the same leg always gets the same one, in every process (pure, rule 4)."""

import re
from base64 import b32encode
from hashlib import sha256

PREFIX = "xd"
PREFIX_END = PREFIX[:-1] + chr(ord(PREFIX[-1]) + 1)  # a range of strings uses an index, LIKE does not
DIGEST_BYTES = 20  # 32 letters, 34 with the prefix; the exchange accepts 36 (dossier 5.11)
OID_PATTERN = re.compile(PREFIX + "[a-z2-7]{32}")


def client_oid(*, account: str, entry_order_id: str, first_trade_id: str, generation: int, role: str) -> str:
    """The id of one leg. A second order with the same id is refused with 204, so it cannot be placed twice."""
    key = "/".join((account, entry_order_id, first_trade_id, str(generation), role))
    digest = sha256(key.encode()).digest()[:DIGEST_BYTES]
    return PREFIX + b32encode(digest).decode().lower()


def is_own_oid(text: str) -> bool:
    """Whether it has our format. The format alone does not make it our order."""
    return OID_PATTERN.fullmatch(text) is not None
