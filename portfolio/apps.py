"""Pages, API, alerts and the worker."""

from typing import Any

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.contrib.auth.signals import user_logged_in
from django.core import checks
from django.core.checks import CheckMessage
from django.db.models.signals import post_migrate


class DeskAdminConfig(admin_apps.SimpleAdminConfig):
    """The admin of each app is imported with the URLs, or for a check: the worker and most commands need none.

    Listed before our apps: the forms of the admin copy the texts of the models when they are imported.
    """

    default = False
    default_site = "portfolio.web.admin_site.DeskAdminSite"

    def ready(self) -> None:
        from portfolio.web.admin_site import translate_models

        translate_models()
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_admin, checks.Tags.admin)


def _check_admin(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    from django.contrib.admin import autodiscover

    autodiscover()
    return list(check_admin_app(app_configs, **kwargs))


class PortfolioConfig(AppConfig):
    name = "portfolio"
    default = True
    verbose_name = "Portfolio"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from portfolio import checks  # noqa: F401  # registers itself
        from portfolio.status.revisions import revisions_install
        from portfolio.worker.task_queue import restrict_queue

        restrict_queue()
        post_migrate.connect(revisions_install, sender=self, dispatch_uid="revisions")
        user_logged_in.connect(_record_login, dispatch_uid="login")


def _record_login(**kwargs: Any) -> None:
    # Imported here: these modules bring the whole web with them, and most commands need none of it.
    from portfolio.security.sudo import record_password_given
    from portfolio.web.middleware import record_login

    record_password_given(**kwargs)
    record_login(**kwargs)
