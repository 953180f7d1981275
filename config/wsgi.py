"""The WSGI entry point; it refuses settings that contradict each other, as the commands do."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# For a supervisor: to start it again would not help.
CANNOT_BOOT = 3

try:
    unlimited = get_wsgi_application()
    from exchange.checks import settings_errors

    refusal = settings_errors()
except ImproperlyConfigured as error:
    refusal = str(error)
if refusal:
    print(refusal, file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(CANNOT_BOOT)

# After the settings are known to be good.
from portfolio.alerts.runner import watchdog_start  # noqa: E402
from portfolio.web.server import LimitedApplication  # noqa: E402

application = LimitedApplication(unlimited)
watchdog_start()
