"""`manage.py run_web`: the web server."""

import signal
import sys
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.core.servers.basehttp import get_internal_wsgi_application

from exchange.core.memory import memory_settle
from portfolio.status.startup import local_url
from portfolio.web.server import create_web_server
from portfolio.worker.database import connections_keep


class Command(BaseCommand):
    help = "Run the web server on HOST and PORT until it is stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        application = get_internal_wsgi_application()  # ends the process when settings contradict each other
        memory_settle()
        try:
            server = create_web_server(application, host=settings.HOST, port=settings.PORT)
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {settings.HOST} port {settings.PORT} ({error.strerror})."
            ) from None
        connections_keep()
        signal.signal(signal.SIGTERM, _exit)
        self.stdout.write(f"The web server listens: {local_url()}")
        self.stdout.flush()
        server.run()  # until the signal; requests at work are finished


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
