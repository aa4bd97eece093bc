"""The migration that gives `use_dataset` to departments whose grants were delivered without."""

from datetime import datetime
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from guardian.shortcuts import get_perms, remove_perm

from apps.sharing.models import Grant
from tests import stories
from tests.factories.sharing import Scene

give_use_dataset: Any = import_module(
    "apps.sharing.migrations.0003_grants_in_force_carry_use_dataset"
).give_use_dataset


@pytest.mark.parametrize(
    ("status", "given"),
    [("in_force", ["use_dataset"]), ("suspended", ["use_dataset"]), ("ended", [])],
)
def test_only_a_grant_that_stands_carries_the_right(
    scene: Scene, at: datetime, status: str, given: list[str]
) -> None:
    stories.grant_in(status, scene, at)
    group = scene.consumer_department.group
    remove_perm("catalog.use_dataset", group, scene.dataset)
    assert get_perms(group, scene.dataset) == []
    for _twice in range(2):
        give_use_dataset(apps, None)
        assert get_perms(group, scene.dataset) == given


def test_an_empty_database_costs_one_statement(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        give_use_dataset(apps, None)
    assert not Grant.objects.exists()
