"""Abstract bases; this app has no table."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Governed(models.Model):
    """A row whose status moves by a lifecycle table and whose pages notice that it changed."""

    status: "models.CharField[str, str]"

    revision = models.PositiveIntegerField(_("修订号"), default=1, editable=False)
    created_at = models.DateTimeField(_("创建时间"), editable=False)
    updated_at = models.DateTimeField(_("更新时间"), editable=False)

    class Meta:
        abstract = True
