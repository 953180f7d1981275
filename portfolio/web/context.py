"""What every template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from portfolio.status.trading_mode import mode_now
from portfolio.web.frame import Frame
from portfolio.web.preferences import display_now


def desk(request: HttpRequest) -> dict[str, Any]:
    """The mode for the strip and the title, and what stands around the page. Nothing is read before it is used.

    Alerts are written once, in the language of the settings, whatever the page around them speaks.
    """
    return {
        "trading_mode": SimpleLazyObject(mode_now),
        "frame": Frame(request),
        "display": display_now(),
        "version": settings.VERSION,
        "time_zone": settings.TIME_ZONE,
        "alert_language": settings.LANGUAGE_CODE,
    }
