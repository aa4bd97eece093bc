from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0007_duties_in_law_and_lists"),
        ("accounts", "0002_platform_user"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = []
