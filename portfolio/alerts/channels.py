"""The channels of ALERT_URLS, through Apprise. An address is a secret: nothing here ever shows one.

Apprise is imported only where there is an address: it takes 25 MB and a quarter of a second.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.crypto import salted_hmac

from exchange.core.texts import escape_control, escape_line

if TYPE_CHECKING:
    from apprise import AppriseAsset, NotifyBase

logger = logging.getLogger("alerts")

# Programs read these exactly, and each format has its own quotes.
PROGRAM_SCHEMES = ("json", "jsons", "xml", "xmls", "form", "forms")
LOOKALIKES = (
    ("<", "‹"),
    (">", "›"),
    ("&", "＆"),  # its look is the point
    ("](", "] ("),  # a link whose words hide its address
    ("@", "@\u200b"),  # a mention calls people
    ("`", "'"),
)
SEND_TIMEOUT_SECONDS = 20.0  # for all channels together; Apprise limits only the time between two bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`tone` is one of Apprise's types: info, success, warning, failure."""

    title: str
    text: str
    tone: str = "info"


class Channel:
    """One address. Its `fingerprint` identifies it without revealing it."""

    def __init__(self, number: int, url: str) -> None:
        self.number = number
        self.fingerprint = salted_hmac("alerts.channel", url).hexdigest()[:12]
        self._url = url

    def __repr__(self) -> str:
        return f"Channel({self.number})"

    @property
    def is_valid(self) -> bool:
        return self._service() is not None

    @property
    def name(self) -> str:
        """As `channel 2 (Telegram)`."""
        service = self._service()
        kind = "?" if service is None else str(service.service_name)
        return f"channel {self.number} ({kind})"

    def send(self, message: Message) -> bool:
        """Whether the service accepted it. Raises nothing: an error text may contain the address."""
        from apprise import NotifyFormat, NotifyType

        try:
            service, message = self._service(), _printable(message)
            if service is not None and not _is_for_programs(service):
                message = without_markup(message)
            return service is not None and bool(
                service.notify(
                    title=message.title,
                    body=message.text,
                    notify_type=NotifyType(message.tone),
                    body_format=NotifyFormat.TEXT,
                    overflow="split",
                )
            )
        except Exception as error:  # noqa: BLE001
            logger.error("Alerts: channel %d failed (%s)", self.number, type(error).__name__)
            return False

    def _service(self) -> "NotifyBase | None":
        from apprise import Apprise

        _silence_apprise()
        return Apprise.instantiate(self._url, asset=_asset())


def configured_channels() -> list[Channel]:
    """Numbered from 1, in the order of the settings."""
    text = str(settings.ALERT_URLS)
    if not text:
        return []
    from apprise.utils.parse import parse_urls

    urls: list[str] = parse_urls(text)  # type: ignore[no-untyped-call]  # untyped
    return [Channel(number, url) for number, url in enumerate(urls, start=1)]


def without_markup(message: Message) -> Message:
    """The same words, with signs that no HTML, Markdown or chat takes for markup.

    Apprise escapes for some services and not for others, and what it has escaped is cut within an entity, or lost
    after a `<`. Texts of the exchange and of users are in every alert.
    """
    return replace(message, title=_without_markup(message.title), text=_without_markup(message.text))


def _printable(message: Message) -> Message:
    return replace(message, title=escape_line(message.title), text=escape_control(message.text))


def _without_markup(text: str) -> str:
    for sign, harmless in LOOKALIKES:
        text = text.replace(sign, harmless)
    return text


def _is_for_programs(service: "NotifyBase") -> bool:
    schemes: Any = (getattr(service, "protocol", ""), getattr(service, "secure_protocol", ""))
    return any(scheme in PROGRAM_SCHEMES for scheme in schemes if isinstance(scheme, str))


def send_all(messages: Mapping[Channel, Message]) -> dict[Channel, bool]:
    """Send to all channels at the same time; one that is not done at the deadline counts as not accepted."""
    delivered = dict.fromkeys(messages, False)
    threads = [_start_thread(channel, message, delivered) for channel, message in messages.items()]
    end = monotonic() + SEND_TIMEOUT_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - monotonic()))
    return dict(delivered)  # a copy: a thread that finishes later must not change it


def _start_thread(channel: Channel, message: Message, delivered: dict[Channel, bool]) -> Thread:
    def run() -> None:
        delivered[channel] = channel.send(message)

    thread = Thread(target=run, name=f"alert channel {channel.number}", daemon=True)
    thread.start()
    return thread


def _asset() -> "AppriseAsset":
    """Plain text as it is: no templates, no stored files, no logo."""
    from apprise import AppriseAsset

    return AppriseAsset(
        app_id="Exchange Desk",
        app_desc="Exchange Desk",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        storage_mode="memory",
        async_mode=False,
        allow_templates=False,
        pgp_autogen=False,
        pem_autogen=False,
    )


def _silence_apprise() -> None:
    """It logs addresses that it does not understand, whatever the log settings are."""
    logging.getLogger("apprise").disabled = True
