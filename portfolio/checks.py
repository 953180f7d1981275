"""Checks of the alert settings, run before anything starts.

No message ever repeats an address, which may hold a secret.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from exchange.checks import TAG
from portfolio.alerts.channels import configured_channels

ALERTS_TAG = "alerts"
# What a setting can make wrong. The other checks are of the code: they would load the pages, the API and the admin
# where none is needed, and twice at each start.
START_TAGS = [TAG, ALERTS_TAG, Tags.compatibility, Tags.security]


@register(TAG)
def check_alert_urls(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    channels = configured_channels()
    invalid = [str(channel.number) for channel in channels if not channel.is_valid]
    if invalid or (settings.ALERT_URLS and not channels):
        yield Error(
            f"ALERT_URLS: Apprise does not recognise address {', '.join(invalid) or '1'} of {len(channels) or 1}.",
            hint="Examples: tgram://token/chat, mailto://user:password@host or https://…; separate "
            "several with spaces. All services: https://github.com/caronc/apprise/wiki",
            id="portfolio.E001",
        )


@register(ALERTS_TAG)
def check_alert_channel(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    if settings.LIVE_TRADING and not settings.ALERT_URLS:
        yield Warning(
            "ALERT_URLS is empty: no one is notified when a position of this live account has no stop.",
            hint="Set ALERT_URLS, then try it with manage.py send_alerts --test.",
            id="portfolio.W001",
        )


@register(TAG)
def check_urls(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    for number, name in enumerate(("HEARTBEAT_URL", "DESK_URL"), start=2):
        text = str(getattr(settings, name))
        if text and not _is_http_url(text):
            yield Error(
                f"{name} is not a valid URL.",
                hint="Use https:// or http://, or leave it empty.",
                id=f"portfolio.E00{number}",
            )


def _is_http_url(text: str) -> bool:
    try:
        address = urlsplit(text)
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:  # an invalid port
        return False
