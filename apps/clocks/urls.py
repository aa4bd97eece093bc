from django.urls import include, path

from apps.clocks import views

pages = (
    [
        path("clocks/<int:pk>/", views.clock, name="clock"),
        path("calendar/", views.calendar, name="calendar"),
    ],
    "clocks",
)
urlpatterns = [path("", include(pages))]
