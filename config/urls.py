"""Addresses of the desk."""

from django.contrib import admin
from django.urls import include, path

from portfolio.urls import api, pages

urlpatterns = [
    *pages,
    path("api/", include(api)),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]
handler400 = "portfolio.views.bad_request"
handler403 = "portfolio.views.forbidden"
handler404 = "portfolio.views.not_found"
handler500 = "portfolio.views.server_error"
