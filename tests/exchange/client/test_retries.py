"""When a call is repeated, and after how long."""

import pytest

from exchange.client.errors import BadResponse, ExchangeError, RateLimited, Refused, RequestKind, Unreachable
from exchange.client.retries import is_retried, retry_delay_s

READ, WRITE = RequestKind.READ, RequestKind.CREATE


@pytest.mark.parametrize(
    ("error", "kind", "attempt", "expected"),
    [
        (Unreachable, READ, 1, True),
        (BadResponse, READ, 2, True),
        (RateLimited, READ, 2, True),
        (Unreachable, READ, 3, False),
        (Refused, READ, 1, False),
        (Unreachable, WRITE, 1, False),
    ],
)
def test_only_a_read_that_may_succeed_is_tried_again(
    error: type[ExchangeError], kind: RequestKind, attempt: int, expected: bool
) -> None:
    failed = error(method="private/get-trades", message="no")
    assert is_retried(failed, kind, attempt=attempt, attempts=3) is expected


@pytest.mark.parametrize(
    ("error", "delays"), [(Unreachable, [0.5, 1.0, 2.0]), (RateLimited, [1.0, 2.0, 4.0])]
)
def test_each_delay_is_twice_the_last(error: type[ExchangeError], delays: list[float]) -> None:
    failed = error(method="private/get-trades", message="no")
    assert [retry_delay_s(failed, attempt=attempt, jitter=1) for attempt in (1, 2, 3)] == delays
