"""The addresses of supervision's pages, below `/work/`."""

from django.urls import URLPattern, include, path

addresses: list[URLPattern] = []
pages = (addresses, "supervision")
urlpatterns = [path("", include(pages))]
