"""The WSGI entry that granian serves."""

from django.core.wsgi import get_wsgi_application

from config import environment

environment.choose_settings("config.settings.production")
environment.start_database()

application = get_wsgi_application()
