from django.urls import include, path

from apps.console import views
from apps.console.health import live, ready

pages = (
    [
        path("", views.home, name="home"),
        path("notices/", views.notices, name="notices"),
        path("notices/read-all/", views.read_all_notices, name="notices-read-all"),
        path("notices/<int:pk>/read/", views.read_notice, name="notice-read"),
        path("todos/<int:pk>/urge/", views.urge, name="urge"),
        path("health/", views.health, name="health"),
        path("language/", views.language, name="language"),
    ],
    "console",
)
urlpatterns = [path("", include(pages))]
health_urlpatterns = [
    path("health/live", live, name="health-live"),
    path("health/ready", ready, name="health-ready"),
]
