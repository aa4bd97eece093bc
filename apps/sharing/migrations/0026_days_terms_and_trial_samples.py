from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sharing", "0025_disposals_may_be_void"),
    ]

    operations = [
        migrations.RemoveField(model_name="offer", name="answer_due_on"),
        migrations.RemoveIndex(model_name="disposal", name="sharing_disposal_due"),
        migrations.RemoveField(model_name="disposal", name="due_on"),
        migrations.RemoveField(model_name="historicaldisposal", name="due_on"),
        # The table keeps its name, and so its privileges.
        migrations.AlterModelTable(name="testsample", table="sharing_testsample"),
        migrations.RenameModel(old_name="TestSample", new_name="TrialSample"),
        migrations.AlterField(
            model_name="decision",
            name="row_condition",
            field=models.JSONField(blank=True, default=list, verbose_name="数据范围条件"),
        ),
    ]
