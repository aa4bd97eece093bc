from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sharing", "0001_requests_decisions_grants"), ("catalog", "0006_demands")]
    operations = []
