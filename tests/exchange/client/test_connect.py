"""One place builds the client, from the settings alone."""

import pytest
import requests

from exchange.client.client import client_from_settings


class Stopped(Exception):
    """Raised before anything is sent."""


def test_the_client_goes_where_the_settings_say(settings, monkeypatch):
    sent = []

    def send(session, request, **options):
        sent.append(request)
        raise Stopped

    monkeypatch.setattr(requests.Session, "send", send)
    settings.CRYPTO_COM_REST_URL = "http://127.0.0.1:8003/exchange/v1"
    settings.CRYPTO_COM_API_KEY = "the-key-of-the-settings"
    client = client_from_settings()
    with pytest.raises(Stopped):
        client.accounts()
    assert sent[0].url == "http://127.0.0.1:8003/exchange/v1/private/get-accounts"
    assert b"the-key-of-the-settings" in sent[0].body


def test_the_lease_is_asked_before_a_byte_leaves():
    def stop(method):
        raise Stopped(method)

    with pytest.raises(Stopped, match="private/get-accounts"):
        client_from_settings(before_request=stop).accounts()
