"""The one place that builds a client from the settings."""

from collections.abc import Callable

from django.conf import settings

from exchange.client.beside import Beside
from exchange.client.exchange_client import Client


def client_from_settings(*, before_request: Callable[[str], None] | None = None) -> Client:
    """A client for the mode's address and keys; `before_request` is told each method before it is sent."""
    client = Client(
        settings.CRYPTO_COM_REST_URL,
        settings.CRYPTO_COM_API_KEY,
        settings.CRYPTO_COM_SECRET_KEY,
        before_request=before_request,
    )
    client.beside = Beside.at(settings.CRYPTO_COM_REST_URL)
    return client
