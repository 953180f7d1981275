"""What every template knows."""

from django.conf import settings
from django.http import HttpRequest

from portfolio.mode import Mode, mode_now


def desk(request: HttpRequest) -> dict[str, Mode | str]:
    """The mode for the strip and the title, and the version for the foot. One query, for the kill switch."""
    return {"trading_mode": mode_now(), "version": settings.VERSION, "time_zone": settings.TIME_ZONE}
