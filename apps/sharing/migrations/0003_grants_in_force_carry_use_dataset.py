"""Give the department's group the right that its grant carries, where it was delivered without."""

from django.db import migrations


def give_use_dataset(apps, schema_editor):
    """Grants that were decided automatically used to be delivered without it. Repeat-safe."""
    grants = apps.get_model("sharing", "Grant").objects.filter(status__in=("in_force", "suspended"))
    wanted = set(grants.values_list("consumer__group", "dataset"))
    if not wanted:
        return
    permission = apps.get_model("auth", "Permission").objects.get(
        content_type__app_label="catalog", content_type__model="dataset", codename="use_dataset"
    )
    right = apps.get_model("catalog", "DatasetGroupPermission")
    right.objects.bulk_create(
        [
            right(group_id=group, content_object_id=dataset, permission=permission)
            for group, dataset in sorted(wanted)
        ],
        batch_size=1000,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):

    dependencies = [
        ("sharing", "0002_requests_from_demands"),
        ("accounts", "0002_platform_user"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0001_classification_datasets_items"),
    ]

    operations = [migrations.RunPython(give_use_dataset, migrations.RunPython.noop, elidable=True)]
