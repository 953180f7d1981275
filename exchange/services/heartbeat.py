"""Signs of life."""

from django.db.models.functions import Now

from exchange.models import Heartbeat


def heartbeat_record(*, name: str) -> None:
    """Say that the process `name` is alive now, by the database's clock."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": Now()})
