"""A sign of life to somewhere else (HEARTBEAT_URL), so that the silence of the whole machine is noticed there.

The address is a secret: it is in no log line and in no error.
"""

import logging

import requests
from django.conf import settings

from exchange.client.transport import DeadlineAdapter

logger = logging.getLogger("alerts")

DEADLINE_S = 5.0


def heartbeat_ping() -> bool:
    """GET the address, if there is one; whether it answered well. Raises nothing for the network."""
    if not settings.HEARTBEAT_URL:
        return False
    with requests.Session() as session:
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, DeadlineAdapter(DEADLINE_S))
        try:
            answer = session.get(str(settings.HEARTBEAT_URL), timeout=(DEADLINE_S, DEADLINE_S), stream=True)
            status = answer.status_code
            answer.close()
        except requests.RequestException as error:
            logger.warning("Alerts: the heartbeat address did not answer (%s)", type(error).__name__)
            return False
    if status >= requests.codes.bad_request:
        logger.warning("Alerts: the heartbeat address answered %d", status)
    return bool(status < requests.codes.bad_request)
