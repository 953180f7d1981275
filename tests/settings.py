"""The settings of the tests: the real ones, read from an empty environment."""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

REAL = Path(__file__).parent.parent / "config" / "settings.py"

for name in re.findall(r'env\.\w+\(\s*"(\w+)"', REAL.read_text(encoding="utf-8")):
    os.environ.pop(name, None)
DIRECTORY = tempfile.mkdtemp(prefix="desk")
atexit.register(shutil.rmtree, DIRECTORY, ignore_errors=True)
os.environ["ENV_FILE"] = os.devnull
os.environ["VAR_DIR"] = DIRECTORY
os.environ["SECRET_KEY"] = "tests-only-not-a-secret-0123456789-abcdefghijklmnopqrstuvwxyz"
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES  # noqa: E402

if not os.environ["DATABASE_URL"]:
    # A file, as in life: in memory SQLite knows neither WAL nor waiting for a lock. It need not survive a power cut.
    DATABASES = {"default": DATABASES["default"] | {"TEST": {"NAME": f"{DIRECTORY}/test.sqlite3"}}}
    DATABASES["default"]["OPTIONS"] = DATABASES["default"]["OPTIONS"] | {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
    }

STATIC_ROOT = None  # type: ignore[assignment]  # nothing is collected; whitenoise serves from where the files are
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True  # else each test client lists all static files
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STREAM_ENABLED = False  # where a test listens to the stream, it says so
