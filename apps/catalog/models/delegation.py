"""Rights on single entries, kept by django-guardian with direct foreign keys.

`use_dataset` comes with a delivered grant and goes with the department's last one;
`review_requests` and `manage_dataset` are delegated. No workflow state is kept here.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from apps.catalog.models.dataset import Dataset


class DatasetGroupPermission(GroupObjectPermissionBase):
    """A right of a department's group on one entry."""

    content_object = models.ForeignKey(
        Dataset, models.CASCADE, related_name="group_permissions", verbose_name=_("数据目录")
    )

    class Meta:
        verbose_name = _("部门的目录权限")
        verbose_name_plural = _("部门的目录权限")
        constraints = [
            models.UniqueConstraint(
                fields=["group", "permission", "content_object"],
                name="catalog_datasetgrouppermission_once",
            ),
        ]


class DatasetUserPermission(UserObjectPermissionBase):
    """A right of one person on one entry; given only where a department's group will not do."""

    handover: ClassVar[dict[str, Q | None]] = {"user": Q()}

    content_object = models.ForeignKey(
        Dataset, models.CASCADE, related_name="user_permissions", verbose_name=_("数据目录")
    )

    class Meta:
        verbose_name = _("个人的目录权限")
        verbose_name_plural = _("个人的目录权限")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "permission", "content_object"],
                name="catalog_datasetuserpermission_once",
            ),
        ]
