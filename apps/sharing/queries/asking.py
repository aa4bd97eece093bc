"""What a department can ask for, and why not."""

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset, SharingAttribute
from apps.core.errors import InvalidInput


def obstacles_to_asking(
    datasets: Collection[Dataset], department: Department
) -> dict[int, InvalidInput]:
    """Return why the department cannot ask for the entries, by entry; what it can is left out."""
    chosen = Dataset.objects.filter(pk__in=[dataset.pk for dataset in datasets])
    askable = catalog.to_be_had_by(department.pk)
    others = list(chosen.exclude(pk__in=askable.values("pk")))
    if not others:
        return {}
    in_force = set(
        catalog.published()
        .filter(pk__in=[dataset.pk for dataset in others])
        .values_list("pk", flat=True)
    )
    return {each.pk: _obstacle(each, in_force=each.pk in in_force) for each in others}


def _obstacle(dataset: Dataset, *, in_force: bool) -> InvalidInput:
    if not in_force:
        return InvalidInput(
            _("目录未发布或已撤回，不能申请"), code="not_published", field="dataset"
        )
    if dataset.sharing_attribute == SharingAttribute.NOT_SHARED:
        return InvalidInput(
            _("该目录不予共享，依据：%(statute)s") % {"statute": dataset.sharing_statute},
            code="not_shared",
            field="dataset",
        )
    return InvalidInput(_("本部门的数据无须申请"), code="own_dataset", field="dataset")
