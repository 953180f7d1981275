"""Makes and keeps the key that signs sessions; it is born once and readable by its owner alone."""

import os
import secrets
from pathlib import Path


def secret_key(path: Path) -> str:
    """The text in `path`; written with fresh randomness, mode 0600, when the file is not there yet."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(path, secrets.token_urlsafe(50))
    return path.read_text().strip()


def _write_once(path: Path, text: str) -> None:
    """Two processes may start at once: the link is atomic, the loser keeps the winner's file."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
