"""Hand a file that was kept in again, laid out as a person says."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access, files, jobs
from apps.core.errors import IllegalMove, InvalidInput
from apps.ledger import operations as ledger
from apps.warehouse.landing.layout import Layout
from apps.warehouse.models import Batch, FileLayout
from apps.warehouse.operations.receiving import require_encoding


@transaction.atomic
def relay(
    *, batch: Batch, layout: Layout, actor: User, at: datetime, remember: bool = False
) -> Batch:
    """Queue a refused batch's file anew with a layout; the batch itself stays as it ended.

    remember: what the same source sends for this dataset is laid out like this from now on.

    Source: house rule (design §5)
    Raises:
        NotAllowed: the actor does not hand in for the providing department.
        IllegalMove: the batch was not refused.
        InvalidInput: the file is no longer kept, or one item stands under two columns.
    """
    standing = access.require(actor, "land", batch.dataset, at=at)
    if batch.status != Batch.Status.REFUSED:
        raise IllegalMove(_("只有未通过的批次可以指定版式重新入库"), state=batch.status)
    if not files.path_of(batch.file.sha256).is_file():
        raise InvalidInput(_("原始文件已按保存期限清理，重新提交即可"), code="file_discarded")
    require_encoding(layout.encoding)
    named = [name for name in layout.columns.values() if name]
    if len(set(named)) != len(named):
        raise InvalidInput(_("同一个数据项对应了两列；每个数据项只能对应一列"), field="columns")
    made = Batch.objects.create(
        dataset=batch.dataset,
        mode=batch.mode,
        source=batch.source,
        file=batch.file,
        file_name=batch.file_name,
        declared_by_source=batch.declared_by_source,
        layout=layout.to_json(),
        mends=batch.mends,
        received_at=at,
        created_at=at,
        updated_at=at,
    )
    if remember:
        FileLayout.objects.update_or_create(
            dataset=batch.dataset,
            source=batch.source,
            defaults={"layout": layout.to_json(), "said_by": actor, "said_at": at},
        )
    ledger.record(
        standing,
        "warehouse.relay",
        made,
        at=at,
        department=batch.dataset.department,
        details={"dataset": batch.dataset.code, "from": str(batch), "remembered": remember},
    )
    jobs.wake("warehouse.land_due")
    return made
