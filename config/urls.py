"""Addresses of the desk."""

from django.contrib import admin
from django.urls import include, path

from portfolio.urls import api_urls, page_urls

admin.autodiscover()
urlpatterns = [
    *page_urls,
    path("api/", include(api_urls)),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]
handler400 = "portfolio.views.site.bad_request"
handler403 = "portfolio.views.site.forbidden"
handler404 = "portfolio.views.site.not_found"
handler500 = "portfolio.views.site.server_error"
