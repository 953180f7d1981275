"""The kill switch as a file, for when the database cannot be written or read: it exists, or trading is not off by it.

It is stored next to the database, or in the folder for temporary files when that disk is read-only.
"""

import os
from pathlib import Path

from django.conf import settings

NAME_LENGTH = 64
UNKNOWN_NAME = "a file"


def file_set(*, name: str) -> Path:
    """Create the file; returns its path. An existing one is enough. Raises OSError when no place takes it."""
    failure = OSError("There is no place for it.")
    for file in settings.KILL_SWITCH_FILES:
        try:
            _create(file, name)
        except OSError as error:
            failure = error
        else:
            return Path(file)
    raise failure


def file_clear() -> None:
    """Remove it from every place. Raises OSError when one of them keeps it."""
    for file in settings.KILL_SWITCH_FILES:
        if _is_ours(file):
            file.unlink(missing_ok=True)


def file_name() -> str | None:
    """Who turned trading off by the file, or None. A file that cannot be looked at counts."""
    for file in settings.KILL_SWITCH_FILES:
        try:
            if _is_ours(file):
                return _name_in(file)
        except OSError:
            return UNKNOWN_NAME
    return None


def _create(file: Path, name: str) -> None:
    # On a full disk the file is empty, and its existence is what counts.
    if _is_ours(file):
        return
    number = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(number, f"{name}\n".encode())
        os.fsync(number)
    except OSError:
        if not _is_ours(file):
            raise
    finally:
        os.close(number)


def _is_ours(file: Path) -> bool:
    # In the shared folder another user of this machine must not be able to turn trading off.
    try:
        owner = file.lstat().st_uid
    except FileNotFoundError:
        return False
    return file == settings.KILL_SWITCH_FILES[0] or owner in (0, os.geteuid())


def _name_in(file: Path) -> str:
    with file.open(encoding="utf-8", errors="replace") as opened:
        name = opened.readline(NAME_LENGTH).strip()
    return name or UNKNOWN_NAME
