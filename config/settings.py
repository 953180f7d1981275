"""Settings: the one place that reads the environment and `.env`."""

import os
from pathlib import Path

from config.reader import Reader, Secret, surroundings
from config.secret import secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
ENV_FILE = Path(os.environ.get("ENV_FILE", BASE_DIR / ".env"))
VERSION = "0.1.0"

read = Reader(surroundings(os.environ, ENV_FILE))
VAR_DIR = Path(read.text("VAR_DIR", default=str(BASE_DIR / "var")))

# ── Trading mode ────────────────────────────────────────────────────────────────────────────────
LIVE_TRADING = read.flag("LIVE_TRADING", default=False)
USE_SANDBOX = read.flag("CRYPTO_COM_USE_SANDBOX", default=False)
TRADING_ENABLED = read.flag("TRADING_ENABLED", default=True)
AUTO_PROTECT = read.flag("AUTO_PROTECT", default=True)
STOP_LOSS_PCT = read.number("STOP_LOSS_PCT", default="5", least="0.1", most="99")
TAKE_PROFIT_PCT = read.number("TAKE_PROFIT_PCT", default="10", least="0.1", most="900")
ENVIRONMENT = "DRY_RUN" if not LIVE_TRADING else "SANDBOX" if USE_SANDBOX else "LIVE"

REST_URLS = {
    "DRY_RUN": "http://127.0.0.1:8003/exchange/v1",
    "SANDBOX": "https://uat-api.3ona.co/exchange/v1",
    "LIVE": "https://api.crypto.com/exchange/v1",
}
CRYPTO_COM_REST_URL = read.text("CRYPTO_COM_REST_URL", default=REST_URLS[ENVIRONMENT]).rstrip("/")
# In a dry run the real keys are not even read.
CRYPTO_COM_API_KEY = read.secret("CRYPTO_COM_API_KEY") if LIVE_TRADING else "dry-run-key"
CRYPTO_COM_SECRET_KEY = read.secret("CRYPTO_COM_SECRET_KEY") if LIVE_TRADING else "dry-run-secret"

SYNC_INTERVAL_SECONDS = read.whole("SYNC_INTERVAL_SECONDS", default=60, least=1, most=86400)
CASH_CURRENCIES = read.names(
    "CASH_CURRENCIES", default="USD,USDT,USDC,EUR,GBP,AUD,CAD,SGD,TRY,BRL,DAI,PYUSD,TUSD"
)

# ── The web ─────────────────────────────────────────────────────────────────────────────────────
HOST = read.text("HOST", default="127.0.0.1")
PORT = read.whole("PORT", default=8002, least=1, most=65535)
DEBUG = read.flag("DEBUG", default=False)
ALLOWED_HOSTS = read.names("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = read.names("CSRF_TRUSTED_ORIGINS", default="")
DASHBOARD_PUBLIC = read.text("DASHBOARD_PUBLIC", default="loopback" if LIVE_TRADING else "true").lower()
SECRET_KEY = read.secret("SECRET_KEY") or Secret(secret_key(VAR_DIR / "secret_key"))

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_q",
    "exchange",
    "oco",
    "portfolio",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portfolio.middleware.strict_headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portfolio.context.desk",
            ]
        },
    }
]
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Names carry a hash of the content: after an upgrade no browser shows yesterday's style.
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["portfolio.access.MayRead"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}

TIME_ZONE = read.zone("TIME_ZONE", default="UTC")
LANGUAGE_CODE = read.text("LANGUAGE_CODE", default="en")
USE_TZ = True

# ── The database: one per mode ──────────────────────────────────────────────────────────────────
DATABASE_FILE = VAR_DIR / f"{ENVIRONMENT.lower()}.sqlite3"
DATABASES = {"default": read.database("DATABASE_URL", default=f"sqlite:///{DATABASE_FILE}")}
# Threads of the web process keep their connection a minute and look whether it still lives.
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL lets pages read while the worker writes; FULL so that a recorded intent survives a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ── The queue ───────────────────────────────────────────────────────────────────────────────────
Q_CLUSTER = {
    "name": "exchange-desk",
    "orm": "default",
    "workers": 2,
    "timeout": 110,  # a cycle is at most 8 reads of 10 s and a slice of 20 s
    "retry": 600,  # above timeout, or a task still at work is handed out again
    "max_attempts": 1,
    "ack_failures": True,  # a failed cycle is not repeated: the next one is at most a minute away
    "catch_up": False,  # sixty missed cycles are one cycle
    "scheduler": False,  # its own looks only every 30 s; run_worker looks every second
    "save_limit": 100,
    "poll": 0.5,
}

# ── Logs ────────────────────────────────────────────────────────────────────────────────────────
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "exchange.redact.RedactingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # Each of these would bring a handler of its own, past the formatter above.
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "gunicorn.error": {"handlers": ["console"], "propagate": False},
        "gunicorn.access": {"handlers": ["console"], "propagate": False},
        "django-q": {"level": "WARNING"},  # the cycle says itself what it does
        "urllib3": {"level": "WARNING"},
    },
}
DEFAULT_EXCEPTION_REPORTER = "exchange.redact.RedactingReporter"
