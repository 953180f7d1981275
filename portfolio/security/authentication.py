"""Sessions, logins and API tokens.

Sessions and tokens are stored as hashes: reading the table does not let anyone in.
"""

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone
from knox import auth
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed

from exchange.models import AuditEntry
from exchange.services.audit_log import audit_record
from exchange.services.permissions import Right, require
from portfolio.models import ApiToken

HASH_LENGTH = 40  # of Django's column; 160 bits of the hash
TOKEN_PATTERN = re.compile(rb"[0-9a-f]{64}")
VALID_DAYS = range(1, 3651)
ADDRESS_FAILURE_LIMIT = 20  # within AXES_COOLOFF_TIME, over all names


class SessionStore(DatabaseStore):
    """Django's own, with hashed keys. Only the synchronous half is used here."""

    def _get_session_from_db(self) -> Session | None:
        key = self.session_key or ""
        found = Session.objects.filter(
            session_key=hash_session_key(key), expire_date__gt=timezone.now()
        ).first()
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return bool(super().exists(hash_session_key(session_key)))

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        session = super().create_model_instance(data)
        session.session_key = hash_session_key(session.session_key)
        return session

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(hash_session_key(key))


class LoginAttemptsBackend(AxesStandaloneBackend):  # type: ignore[misc]  # the package is not typed
    """Authenticates nobody, and refuses after too many failed attempts by name and address."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        if request is not None:
            super().authenticate(request, **credentials)


class LoginAttemptsHandler(AxesDatabaseHandler):  # type: ignore[misc]  # the package is not typed
    """Refuses an address, too, that fails with many names."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        by_name = int(super().get_failures(request, credentials))
        recent = AccessAttempt.objects.filter(
            ip_address=request.axes_ip_address,  # type: ignore[attr-defined]  # set by axes
            attempt_time__gte=get_cool_off_threshold(request),
        )
        by_address = recent.aggregate(failures=Sum("failures_since_start"))["failures"] or 0
        return max(by_name, settings.AXES_FAILURE_LIMIT if by_address >= ADDRESS_FAILURE_LIMIT else 0)


class TokenAuthentication(auth.TokenAuthentication):  # type: ignore[misc]  # the package is not typed
    """`Authorization: Token …`, in one query by the hash, and without deleting expired tokens.

    It comes first, so a request with a token has the rights of the token even if it has a session as well.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        found = _find_token(token)
        if found is None or not found.user.is_active:
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        return found.user, found


def hash_session_key(session_key: str) -> str:
    """The key in the table for the one in the cookie. It is random, so no salt is needed."""
    return sha256(session_key.encode()).hexdigest()[:HASH_LENGTH]


@transaction.atomic
def token_create(
    *, user: User, scope: str, days: int, created_by: str, label: str = ""
) -> tuple[ApiToken, str]:
    """The row and, only now, the token itself.

    Raises ValueError for an invalid scope or number of days, PermissionDenied.
    """
    require(Right.MANAGE)
    if scope not in ApiToken.Scope.values or days not in VALID_DAYS:
        raise ValueError(f"A token cannot have the scope {scope!r} and {days} days.")
    token, text = ApiToken.objects.create(user=user, expiry=timedelta(days=days), scope=scope, label=label)
    what = f"{scope} token for {user.get_username()}, {days} days: {label}"
    audit_record(
        actor=created_by, what=AuditEntry.Action.TOKEN_MADE, object_ids=[token.key_prefix], text=what
    )
    return token, text


@transaction.atomic
def token_revoke(*, token: ApiToken, revoked_by: str) -> None:
    """Delete it, with an audit entry. Raises PermissionDenied."""
    require(Right.MANAGE)
    what = f"{token.scope} token of {token.user.get_username()}: {token.label}"
    audit_record(
        actor=revoked_by, what=AuditEntry.Action.TOKEN_REVOKED, object_ids=[token.key_prefix], text=what
    )
    token.delete()


def _find_token(token: bytes) -> ApiToken | None:
    # A valid one; what does not look like a token costs no query.
    if not TOKEN_PATTERN.fullmatch(token):
        return None
    found = ApiToken.objects.select_related("user").filter(digest=hash_token(token.decode())).first()
    ended = found is not None and found.expiry is not None and found.expiry <= timezone.now()
    return None if ended else found
