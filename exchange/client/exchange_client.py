"""The exchange as about twenty typed methods (dossier 5): decimals in and out, one kind of failure."""

from collections.abc import Callable
from typing import TypeVar

from exchange.client.beside import Beside, Later
from exchange.client.private_calls import PrivateCalls
from exchange.client.public_calls import PublicCalls
from exchange.client.write_calls import WriteCalls

T = TypeVar("T")


class Client(PublicCalls, PrivateCalls, WriteCalls):
    """One key at one exchange, `Client(base_url, key, secret)`; `base_url` ends in `/exchange/v1`.

    Reads are repeated a few times and then raise Unreachable, BadAnswer, RateLimited, AuthError, Refused,
    TryLater or NotFound. Writes are sent once and may also raise UnknownOutcome, NotSent and NotActive.
    """

    beside: Beside | None = None

    def begin(self, method: str, read: Callable[[PublicCalls], T]) -> Later[T]:
        """A public read that may go on beside the others; where nothing runs beside, it is read when wanted."""
        if self.beside is None:
            return Later(lambda: read(self))
        self._before_request(method)
        return self.beside.begin(read)

    @property
    def requests(self) -> int:
        return super().requests + (self.beside.sent if self.beside else 0)

    def close(self) -> None:
        super().close()
        if self.beside:
            self.beside.close()
