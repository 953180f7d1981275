"""Settings: the one place that reads the environment and `.env`."""

import os
import tempfile
from datetime import timedelta
from pathlib import Path

from config.env import (
    EnvReader,
    Secret,
    path_digest,
    read_environment,
    secret_key,
    simulator_stream_root,
)

os.umask(0o077)  # database, logs and backups are for their owner alone, from their first byte
BASE_DIR = Path(__file__).resolve().parent.parent
ENV_FILE = Path(os.environ.get("ENV_FILE", BASE_DIR / ".env"))
VERSION = "0.1.0"

env = EnvReader(read_environment(os.environ, ENV_FILE))
VAR_DIR = Path(env.text("VAR_DIR", default=str(BASE_DIR / "var")))

# ── Trading mode ────────────────────────────────────────────────────────────────────────────────
LIVE_TRADING = env.boolean("LIVE_TRADING", default=False)
USE_SANDBOX = env.boolean("CRYPTO_COM_USE_SANDBOX", default=False)
TRADING_ENABLED = env.boolean("TRADING_ENABLED", default=True)
AUTO_PROTECT = env.boolean("AUTO_PROTECT", default=True)
STOP_LOSS_PCT = env.number("STOP_LOSS_PCT", default="5")
TAKE_PROFIT_PCT = env.number("TAKE_PROFIT_PCT", default="10")
ENVIRONMENT = "DRY_RUN" if not LIVE_TRADING else "SANDBOX" if USE_SANDBOX else "LIVE"

REST_URLS = {
    "DRY_RUN": "http://127.0.0.1:8003/exchange/v1",
    "SANDBOX": "https://uat-api.3ona.co/exchange/v1",
    "LIVE": "https://api.crypto.com/exchange/v1",
}
CRYPTO_COM_REST_URL = env.text("CRYPTO_COM_REST_URL", default=REST_URLS[ENVIRONMENT]).rstrip("/")
STREAM_ENABLED = env.boolean("STREAM_ENABLED", default=True)
STREAM_ROOTS = {
    "DRY_RUN": simulator_stream_root(CRYPTO_COM_REST_URL),
    "SANDBOX": "wss://uat-stream.3ona.co/exchange/v1",
    "LIVE": "wss://stream.crypto.com/exchange/v1",
}
CRYPTO_COM_WS_USER_URL = env.text(
    "CRYPTO_COM_WS_USER_URL", default=f"{STREAM_ROOTS[ENVIRONMENT]}/user"
).rstrip("/")
# Beside the user stream: in a dry run both are on one port.
CRYPTO_COM_WS_MARKET_URL = env.text(
    "CRYPTO_COM_WS_MARKET_URL", default=f"{CRYPTO_COM_WS_USER_URL.rpartition('/')[0]}/market"
).rstrip("/")
# In a dry run the real keys are not even read.
CRYPTO_COM_API_KEY = env.secret("CRYPTO_COM_API_KEY") if LIVE_TRADING else "dry-run-key"
CRYPTO_COM_SECRET_KEY = env.secret("CRYPTO_COM_SECRET_KEY") if LIVE_TRADING else "dry-run-secret"

SYNC_INTERVAL_SECONDS = env.integer("SYNC_INTERVAL_SECONDS", default=60)
CASH_CURRENCIES = env.string_list(
    "CASH_CURRENCIES", default="USD,USDT,USDC,EUR,GBP,AUD,CAD,SGD,TRY,BRL,DAI,PYUSD,TUSD"
)

# ── Alerts ──────────────────────────────────────────────────────────────────────────────────────
# Whole addresses are secrets: most carry a token or a password.
ALERT_URLS = env.secret("ALERT_URLS")
ALERT_DAILY_AT = env.time_of_day("ALERT_DAILY_AT", default="08:00")
HEARTBEAT_URL = env.secret("HEARTBEAT_URL")

# ── The web ─────────────────────────────────────────────────────────────────────────────────────
HOST = env.text("HOST", default="127.0.0.1")
PORT = env.integer("PORT", default=8002)
DESK_URL = env.text("DESK_URL").rstrip("/")
DEBUG = env.boolean("DEBUG", default=False)
ALLOWED_HOSTS = env.string_list("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.string_list("CSRF_TRUSTED_ORIGINS", default="")
# A proxy on this machine terminates https; secure cookies and the like hold only then.
BEHIND_HTTPS = env.boolean("BEHIND_HTTPS", default=False)
# Addresses that are this machine although they are not on the loopback: the host, seen from a container.
LOCAL_PEERS = env.string_list("LOCAL_PEERS", default="")
DASHBOARD_PUBLIC = env.text("DASHBOARD_PUBLIC", default="loopback" if LIVE_TRADING else "true").lower()
SECRET_KEY = env.secret("SECRET_KEY") or Secret(secret_key(VAR_DIR / "secret_key"))

SESSION_ENGINE = (
    "portfolio.security.authentication"  # the table holds hashes, no numbers that a thief could use
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = BEHIND_HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if BEHIND_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = BEHIND_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
# What programs on this machine ask over plain http; a program must not be redirected with its token in hand.
SECURE_REDIRECT_EXEMPT = [r"^health$", r"^api/"]
# To be on the browsers' preload list is for the owner of the domain to decide, not for us.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

INSTALLED_APPS = [
    "portfolio.apps.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "axes",
    "django_q",
    "exchange",
    "oco",
    "portfolio",
]
MIDDLEWARE = [
    "portfolio.web.middleware.request_id_middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portfolio.web.middleware.CompressionMiddleware",
    "portfolio.web.middleware.security_headers_middleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portfolio.web.middleware.permissions_middleware",
    "portfolio.web.middleware.preferences_middleware",
    "portfolio.web.middleware.live_middleware",
    "portfolio.security.sudo.AdminSudoMiddleware",
    "axes.middleware.AxesMiddleware",
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
                "portfolio.web.page_context.site_context",
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
# Logging in: after this many wrong passwords for one name from one address one waits. An IPv6 network is one address.
AUTHENTICATION_BACKENDS = [
    "portfolio.security.authentication.LoginAttemptsBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # or an attacker could make the wait endless
AXES_LOCKOUT_TEMPLATE = "locked_out.html"
AXES_HANDLER = (
    "portfolio.security.authentication.LoginAttemptsHandler"  # counts each address over all names too
)
AXES_CLIENT_IP_CALLABLE = "portfolio.web.middleware.client_block"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
AXES_DISABLE_ACCESS_LOG = True  # the audit log has who came in
AXES_ENABLE_ADMIN = False  # `manage.py axes_reset` ends a wait; failures are in the log
AXES_VERBOSE = False
# What no attempt that is kept may show, besides `password`: a form that was held up by /sudo/ has others.
AXES_SENSITIVE_PARAMETERS = [
    "username",
    "password1",
    "password2",
    "old_password",
    "new_password1",
    "new_password2",
]
CSRF_FAILURE_VIEW = "portfolio.views.site.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # bytes; the longest form of the admin is far below

# ── The API ─────────────────────────────────────────────────────────────────────────────────────
READS = "1200/min"  # by address, user or token: twenty pages that ask once a second
CHANGES = "60/min"
SYNCS = "10/min"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portfolio.security.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["portfolio.security.access.ApiPermission"],
    "DEFAULT_THROTTLE_CLASSES": [
        "portfolio.api.throttling.AnonymousThrottle",
        "portfolio.api.throttling.UserThrottle",
        "portfolio.api.throttling.TokenThrottle",
        "portfolio.api.throttling.WriteThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": READS,
        "user": READS,
        "token": READS,
        "write": CHANGES,
        "sync": SYNCS,
    },
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portfolio.api.throttling.LimitedJSONParser"],
    "EXCEPTION_HANDLER": "portfolio.api.throttling.api_exception_handler",
    "DEFAULT_SCHEMA_CLASS": "portfolio.api.openapi.DeskAutoSchema",
    "URL_FORMAT_OVERRIDE": None,
}
KNOX_TOKEN_MODEL = "portfolio.ApiToken"  # noqa: S105
MIGRATION_MODULES = {"knox": None}  # our token stands in for the only table that the package would make
SPECTACULAR_SETTINGS = {
    "TITLE": "Exchange Desk",
    "VERSION": VERSION,
    "DESCRIPTION": "Money, prices and quantities are strings with plain decimals; times are ISO 8601 with Z.",
    "SCHEMA_PATH_PREFIX": "/api/",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "portfolio.api.openapi.add_error_responses",
    ],
}
# Counts of requests, in the memory of the one web process: lost at a restart, which helps no attacker.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 5_000},
    }
}

TIME_ZONE = env.time_zone("TIME_ZONE", default="UTC")
LANGUAGE_CODE = env.choice("LANGUAGE_CODE", default="en", choices=("en", "es"))
LANGUAGES = [("en", "English"), ("es", "Español")]
FORMAT_MODULE_PATH = ["portfolio.formats"]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True

# ── The database: one per mode ──────────────────────────────────────────────────────────────────
DATABASE_FILE = VAR_DIR / f"{ENVIRONMENT.lower()}.sqlite3"
DATABASES = {
    "default": env.database("DATABASE_URL", default=f"sqlite:///{DATABASE_FILE}", mode=ENVIRONMENT.lower())
}
# A connection ends with its request: runserver has a thread for each client, and would keep one for each.
# run_web and run_worker, with few threads, keep theirs for a while (connections_keep).
DATABASES["default"] |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL lets pages read while the worker writes; FULL so that a recorded intent survives a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
# While one of them exists no order is created, whatever the database says, or when it says nothing.
KILL_SWITCH_NAME = f"{ENVIRONMENT.lower()}.kill_switch"
KILL_SWITCH_FILES = [
    VAR_DIR / KILL_SWITCH_NAME,
    Path(tempfile.gettempdir()) / f"exchange-desk-{path_digest(VAR_DIR)}-{KILL_SWITCH_NAME}",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ── The queue ───────────────────────────────────────────────────────────────────────────────────
Q_CLUSTER = {
    "name": "exchange-desk",
    "orm": "default",
    "broker_class": "portfolio.worker.task_queue.TaskBroker",  # runs the functions of portfolio.tasks only
    "timeout": 110,  # a cycle is at most 8 reads of 10 s and a slice of 20 s; then the worker starts again
    "retry": 600,  # above timeout, or a task still at work is handed out again
    "max_attempts": 1,
    "ack_failures": True,  # a failed cycle is not repeated: the next one is at most a minute away
    "catch_up": False,  # sixty missed cycles are one cycle
    "scheduler": False,  # its own runs only every 30 s; run_worker checks every second
    "save_limit": 100,
    "poll": 0,  # the worker itself waits between two looks (portfolio.worker.queues)
}

# ── What is kept ────────────────────────────────────────────────────────────────────────────────
RETENTION_DAYS = env.integer("RETENTION_DAYS", default=30)

# ── Logs ────────────────────────────────────────────────────────────────────────────────────────
LOG_FORMAT = env.choice("LOG_FORMAT", default="text", choices=("text", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {
            "()": "exchange.core.observability.RedactingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(trail)s%(message)s",
        },
        "json": {"()": "exchange.core.observability.JsonFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # Each of these would bring a handler of its own, past the formatter above.
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        # The listener says what it meets; below are messages with the key.
        "websockets": {"level": "CRITICAL"},
        "waitress": {"level": "ERROR"},  # it warns of every task that waits for a thread
        "axes": {"level": "WARNING"},  # failed logins and refusals
        "django-q": {"level": "WARNING"},  # the cycle logs what it does
        "urllib3": {"level": "WARNING"},
        "apprise": {"level": "CRITICAL", "propagate": False},  # it would name addresses, and they are secrets
    },
}
DEFAULT_EXCEPTION_REPORTER = "exchange.core.observability.RedactingReporter"
