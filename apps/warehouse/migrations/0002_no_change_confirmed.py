from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_stores_tables_batches")]
    operations = []
