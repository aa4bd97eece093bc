from django.urls import include, path

from apps.opening import views

pages = ([path("", views.home, name="home")], "opening")
urlpatterns = [path("", include(pages))]
