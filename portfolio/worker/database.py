"""Creates the PostgreSQL database of a mode when the server does not have it yet, keeps connections open, and deletes
old technical rows. Records of money, and of who changed it, are never deleted.
"""

from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection, connections
from django.db.models import Max, QuerySet
from django_q.models import Task

from exchange.models import SyncRun
from portfolio.alerts.selectors import alerts_unacknowledged
from portfolio.models import AlertDismissal, AlertMessage

MAINTENANCE = "postgres"
KEPT_SECONDS = 60
BATCH_SIZE = 2000  # rows of a table in one run: SQLite allows one writer at a time
MIN_RUNS_KEPT = 1000  # however old: they show the last successful cycle


# The database and its connections


def database_create_missing() -> bool:
    """Returns whether it was created. Raises OperationalError when the server does not respond."""
    if connection.vendor != "postgresql":
        return False
    try:
        connection.ensure_connection()
    except OperationalError:
        if _create():
            return True
        raise
    return False


def _create() -> bool:
    # Here, because SQLite needs none of it and its libraries are large.
    import psycopg2
    from psycopg2 import sql

    name = connection.settings_dict["NAME"]
    parameters = {**connection.get_connection_params(), "dbname": MAINTENANCE}
    try:
        server = psycopg2.connect(**parameters)
    except psycopg2.OperationalError:
        return False
    with closing(server), server.cursor() as cursor:
        server.autocommit = True
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is not None:
            return False
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return True


def connections_keep() -> None:
    """For a process with few threads, before they begin: each keeps its connection for KEPT_SECONDS, and checks that it
    still works.
    """
    connections.settings["default"]["CONN_MAX_AGE"] = KEPT_SECONDS


# Old rows


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
