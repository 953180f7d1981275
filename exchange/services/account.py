"""Binds the database to one environment and one exchange account, and refuses any other."""

from datetime import datetime, timedelta

from django.conf import settings

from exchange.client.client import Client
from exchange.models import AccountBinding

VERIFY_EVERY = timedelta(days=1)


class WrongAccount(RuntimeError):
    """This database is the record of another environment or account."""


def account_check(*, client: Client, now: datetime) -> None:
    """Make sure that this database belongs to the account of the key; asks the exchange once a day."""
    tail = settings.CRYPTO_COM_API_KEY[-4:]
    if account_is_due(environment=settings.ENVIRONMENT, key_tail=tail, now=now):
        uuid = client.accounts().uuid
        account_bind(environment=settings.ENVIRONMENT, account_uuid=uuid, key_tail=tail, now=now)


def account_is_due(*, environment: str, key_tail: str, now: datetime) -> bool:
    """Whether the exchange must be asked whose key this is; refuses at once a database of another environment."""
    bound = AccountBinding.objects.first()
    if bound is None:
        return True
    if bound.environment != environment:
        raise WrongAccount(_refusal(bound, f"this program now runs in {environment}"))
    return bound.key_tail != key_tail or now - bound.verified_at > VERIFY_EVERY


def account_bind(*, environment: str, account_uuid: str, key_tail: str, now: datetime) -> AccountBinding:
    """Bind at first sight; afterwards confirm, or raise `WrongAccount` and change nothing."""
    bound, _ = AccountBinding.objects.get_or_create(
        only=True,
        defaults={
            "environment": environment,
            "account_uuid": account_uuid,
            "key_tail": key_tail,
            "bound_at": now,
            "verified_at": now,
        },
    )
    if (bound.environment, bound.account_uuid) != (environment, account_uuid):
        raise WrongAccount(_refusal(bound, f"the key now belongs to account {account_uuid} in {environment}"))
    bound.key_tail, bound.verified_at = key_tail, now
    bound.save(update_fields=["key_tail", "verified_at"])
    return bound


def _refusal(bound: AccountBinding, found: str) -> str:
    return (
        f"This database is the record of account {bound.account_uuid} in {bound.environment}, but {found}. "
        "Nothing was read or changed. Put the keys back, or give this account a database of its own (DATABASE_URL)."
    )
