"""The exchange as about twenty typed methods (dossier 5): decimals in and out, one kind of failure."""

from exchange.private_calls import PrivateCalls
from exchange.public_calls import PublicCalls
from exchange.write_calls import WriteCalls


class Client(PublicCalls, PrivateCalls, WriteCalls):
    """One key at one exchange, `Client(base_url, key, secret)`; `base_url` ends in `/exchange/v1`.

    Reads are repeated a few times and then raise Unreachable, BadAnswer, RateLimited, AuthError, Refused,
    TryLater or NotFound. Writes are sent once and may also raise UnknownOutcome, NotSent and NotActive.
    """
