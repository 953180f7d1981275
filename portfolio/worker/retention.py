"""Deletes old technical rows. Records of money, and of who changed it, are never deleted."""

from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Max, QuerySet
from django_q.models import Task

from exchange.models import SyncRun
from portfolio.alerts.selectors import alerts_unacknowledged
from portfolio.models import AlertDismissal, AlertMessage

BATCH_SIZE = 2000  # rows of a table in one run: SQLite allows one writer at a time
MIN_RUNS_KEPT = 1000  # however old: they show the last successful cycle


def delete_old_rows(*, now: datetime) -> int:
    """Returns how many rows were deleted; the rest is left for the next run."""
    return sum(_delete(rows) for rows in _old_rows(now))


def _old_rows(now: datetime) -> list[QuerySet[Any]]:
    before = now - timedelta(days=settings.RETENTION_DAYS)
    newest = SyncRun.objects.aggregate(newest=Max("pk"))["newest"] or 0
    message = AlertMessage.objects.aggregate(newest=Max("number"))["newest"] or 0
    return [
        SyncRun.objects.filter(started_at__lt=before, pk__lte=newest - MIN_RUNS_KEPT),
        AlertMessage.objects.filter(at__lt=before, number__lt=message),  # numbers continue from the newest
        AlertDismissal.objects.filter(dismissed_at__lt=before).exclude(alert__in=alerts_unacknowledged()),
        Task.objects.filter(stopped__lt=before),
        Session.objects.filter(expire_date__lt=now),
        *(
            log.objects.filter(attempt_time__lt=before)
            for log in (AccessAttempt, AccessFailureLog, AccessLog)
        ),
    ]


def _delete(rows: QuerySet[Any]) -> int:
    some = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE])
    deleted: int
    deleted, _ = rows.model._default_manager.filter(pk__in=some).delete() if some else (0, {})
    return deleted
