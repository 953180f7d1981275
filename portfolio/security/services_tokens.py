"""Makes and takes back the tokens of programs."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction

from exchange.models import AuditEntry
from exchange.services.audit_log import audit_record
from portfolio.models import ApiToken

DAYS = range(1, 3651)


@transaction.atomic
def token_create(*, user: User, scope: str, days: int, made_by: str, label: str = "") -> tuple[ApiToken, str]:
    """The row and, this one time, the token itself. Raises ValueError for a scope or a span that is none."""
    if scope not in ApiToken.Scope.values or days not in DAYS:
        raise ValueError(f"No token has the scope {scope!r} and ends in {days} days.")
    token, text = ApiToken.objects.create(user=user, expiry=timedelta(days=days), scope=scope, label=label)
    what = f"{scope} token for {user.get_username()}, {days} days: {label}"
    audit_record(actor=made_by, what=AuditEntry.What.TOKEN_MADE, object_ids=[token.begins], text=what)
    return token, text


@transaction.atomic
def token_revoke(*, token: ApiToken, revoked_by: str) -> None:
    """From now on it opens nothing."""
    what = f"{token.scope} token of {token.user.get_username()}: {token.label}"
    audit_record(actor=revoked_by, what=AuditEntry.What.TOKEN_REVOKED, object_ids=[token.begins], text=what)
    token.delete()
