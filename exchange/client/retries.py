"""When a call is repeated, and after how long. Only reads are: a write is sent once (pure)."""

from exchange.client.errors import BadResponse, ExchangeError, RateLimited, RequestKind, Unreachable

READ_ATTEMPTS = 3
RETRIED_ERRORS = (Unreachable, BadResponse, RateLimited)
RETRY_DELAY_S = 0.5  # before the first repetition, doubled each time
RATE_LIMIT_DELAY_S = 1.0  # the same after 42901
JITTER = (1, 1.5)  # a factor between these is drawn for each delay, so that clients do not repeat together


def is_retried(error: ExchangeError, kind: RequestKind, *, attempt: int, attempts: int) -> bool:
    """Whether a call that failed at this attempt, counted from 1, is tried again."""
    return kind is RequestKind.READ and attempt < attempts and isinstance(error, RETRIED_ERRORS)


def retry_delay_s(error: ExchangeError, *, attempt: int, jitter: float) -> float:
    """Seconds to wait after this attempt, counted from 1."""
    first = RATE_LIMIT_DELAY_S if isinstance(error, RateLimited) else RETRY_DELAY_S
    return first * (1 << attempt - 1) * jitter
