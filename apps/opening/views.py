"""The portal's public pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.opening.queries import city_figures


def home(request: HttpRequest) -> HttpResponse:
    """Say what this is and show the city's figures, read from the database."""
    city = city_figures()
    most = max((number for _name, number in city.by_department), default=1)
    providers = [(name, number, number / most) for name, number in city.by_department]
    return render(request, "opening/home.html", {"city": city, "providers": providers})
