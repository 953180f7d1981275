"""Names for our orders that two workers, or one before and after a crash, make alike (pure, rule 4)."""

import re
from base64 import b32encode
from hashlib import sha256

PREFIX = "xd"
DIGEST_BYTES = 20  # 32 letters; with the prefix 34 of the 36 that the exchange takes (dossier 5.11)
NAME = re.compile(PREFIX + "[a-z2-7]{32}")


def is_name(text: str) -> bool:
    """Whether it has the shape of our names; a stranger's by chance has not."""
    return NAME.fullmatch(text) is not None


def client_oid(*, account: str, entry_order_id: str, first_trade_id: str, generation: int, role: str) -> str:
    """The one name of this leg: whoever sends it again sends the same name, and is answered 204."""
    what = "/".join((account, entry_order_id, first_trade_id, str(generation), role))
    digest = sha256(what.encode()).digest()[:DIGEST_BYTES]
    return PREFIX + b32encode(digest).decode().lower()
