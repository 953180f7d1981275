"""`manage.py run_desk` (`make run`): setup, then simulator (dry run only), web and worker in one terminal."""

import socket
from typing import Any

from django.core.management import BaseCommand, CommandError, call_command
from django.db import connections
from django.utils import timezone

from portfolio.status.startup import startup_lines
from portfolio.worker import processes
from portfolio.worker.supervisor import Plan, become_supervisor


class Command(BaseCommand):
    help = "Create what is missing, then run simulator (dry run only), web and worker until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        began = timezone.now()
        for setting, host, port in processes.listen_addresses():
            _check_port_is_free(setting, host, port)
        call_command("setup", stdout=self.stdout)
        self.stdout.flush()
        opened = "\n".join(startup_lines(began=began))
        connections.close_all()
        become_supervisor(Plan(processes.programs(), opened))


def _check_port_is_free(setting: str, host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host} port {port} ({error.strerror}). Is Exchange Desk already running? "
                f"Stop it, or set {setting} in .env to another port. Nothing was started."
            ) from None
