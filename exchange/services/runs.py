"""Records cycles and heartbeats, and binds the database to one environment and one exchange account."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Now

from exchange.client.client import Client
from exchange.core.database import INT32_LIMIT
from exchange.core.reasons import Sentence, SyncReason, stored_sentence
from exchange.models import AccountBinding, Heartbeat, SyncRun
from exchange.services.lease import Lease

VERIFY_INTERVAL = timedelta(days=1)

STOPPED = Sentence("The process was stopped in the middle of this cycle.", SyncReason.CYCLE_STOPPED)


class WrongAccount(RuntimeError):
    """This database belongs to another environment or account."""


def run_start(*, lease: Lease, trigger: str, now: datetime) -> SyncRun:
    """Start the record of a cycle; one left open by a killed process is closed as failed."""
    SyncRun.objects.filter(status=SyncRun.Status.RUNNING, token__lt=lease.token).update(
        status=SyncRun.Status.FAILED,
        finished_at=now,
        errors=[STOPPED],
        error_reasons=[stored_sentence(STOPPED)],
    )
    return SyncRun.objects.create(started_at=now, trigger=trigger, token=lease.token)


def run_finish(*, run: SyncRun, errors: Sequence[str], failed: bool, now: datetime) -> SyncRun:
    """Close the record: complete, partial if some part failed, or failed."""
    run.errors, run.error_reasons = list(errors), [stored_sentence(error) for error in errors]
    run.status = SyncRun.Status.FAILED if failed else SyncRun.Status.PARTIAL if errors else SyncRun.Status.OK
    run.finished_at = now
    # A clock may have been set meanwhile, or be wrong by years.
    run.duration_ms = _within_column(max(round((now - run.started_at).total_seconds() * 1000), 0))
    if run.clock_offset_ms is not None:
        run.clock_offset_ms = _within_column(run.clock_offset_ms)
    run.save()
    return run


def _within_column(milliseconds: int) -> int:
    return min(max(milliseconds, -INT32_LIMIT), INT32_LIMIT - 1)


def heartbeat_record(*, name: str) -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": Now()})


def account_check(*, client: Client, now: datetime) -> bool:
    """Before the first read: check that this database belongs to the account of a key that was not seen before.

    Returns whether a known key is to be confirmed, once a day.
    """
    tail = settings.CRYPTO_COM_API_KEY[-4:]
    is_due = account_check_is_due(environment=settings.ENVIRONMENT, key_tail=tail, now=now)
    if is_due and not AccountBinding.objects.filter(key_tail=tail).exists():
        _ask_and_bind(client, tail, now)
        return False
    return is_due


def account_confirm(*, client: Client, now: datetime) -> None:
    """When protection has what it needs: is the key still one of this account?

    After a no the key counts as not seen, so that nothing more is read with it.
    """
    try:
        _ask_and_bind(client, settings.CRYPTO_COM_API_KEY[-4:], now)
    except WrongAccount:
        AccountBinding.objects.update(key_tail="")
        raise


def _ask_and_bind(client: Client, tail: str, now: datetime) -> None:
    uuid = client.accounts().uuid
    account_bind(environment=settings.ENVIRONMENT, account_uuid=uuid, key_tail=tail, now=now)


def account_check_is_due(*, environment: str, key_tail: str, now: datetime) -> bool:
    """Whether the exchange must be asked for the account. Raises `WrongAccount` for another environment."""
    binding = AccountBinding.objects.first()
    if binding is None:
        return True
    if binding.environment != environment:
        found = f"this program now runs in {environment}"
        raise WrongAccount(_refusal(binding, found, SyncReason.OTHER_ENVIRONMENT, found=environment))
    return binding.key_tail != key_tail or now - binding.verified_at > VERIFY_INTERVAL


def account_bind(*, environment: str, account_uuid: str, key_tail: str, now: datetime) -> AccountBinding:
    """Bind at first use; later confirm, or raise `WrongAccount` and change nothing."""
    binding, _ = AccountBinding.objects.get_or_create(
        only=True,
        defaults={
            "environment": environment,
            "account_uuid": account_uuid,
            "key_tail": key_tail,
            "bound_at": now,
            "verified_at": now,
        },
    )
    if (binding.environment, binding.account_uuid) != (environment, account_uuid):
        found = f"the key now belongs to account {account_uuid} in {environment}"
        params = {"found": account_uuid, "where": environment}
        raise WrongAccount(_refusal(binding, found, SyncReason.OTHER_ACCOUNT, **params))
    binding.key_tail, binding.verified_at = key_tail, now
    binding.save(update_fields=["key_tail", "verified_at"])
    return binding


def _refusal(binding: AccountBinding, what: str, code: SyncReason, **params: str) -> Sentence:
    text = (
        f"This database is the record of account {binding.account_uuid} in {binding.environment}, but {what}. "
        "Nothing was read or changed. Put the keys back, or give this account a database of its own (DATABASE_URL)."
    )
    bound = {"account": binding.account_uuid, "environment": binding.environment}
    return Sentence(text, code, exchange_code=None, **bound, **params)
