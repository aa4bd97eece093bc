"""Install the masks; a change of a mask gets a migration that installs them again."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from apps.standards import masks


def install(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in masks.install_sql():
        schema_editor.execute(statement, params=None)


def remove(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute(masks.remove_sql(), params=None)


class Migration(migrations.Migration):
    dependencies = [("standards", "0001_data_elements_code_lists")]

    operations = [migrations.RunPython(install, remove)]
