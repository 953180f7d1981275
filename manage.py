#!/usr/bin/env python
"""The command line of Exchange Desk."""

import errno
import os
import signal
import sys


def main() -> None:
    """Runs a command; an unreadable setting or database is one sentence, and Ctrl-C needs no traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # While modules are loaded Python may swallow an interrupt, and nothing has begun yet: leave at once.
    usual = signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import Error

    try:
        django.setup()
        from exchange.core.observability import traceback_show
        from exchange.core.texts import EscapingStream

        sys.stdout, sys.stderr = EscapingStream(sys.stdout), EscapingStream(sys.stderr)
        sys.excepthook = traceback_show
        signal.signal(signal.SIGINT, usual)
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except Error as error:
        from exchange.core.database import database_problem

        problem = database_problem(error)
        if problem is None:
            raise
        sys.exit(problem)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EROFS):
            raise
        sys.exit(
            f"{error.filename or 'The disk'}: {error.strerror}. Make room, or make it writable, then run again."
        )
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
