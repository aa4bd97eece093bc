"""What a file is, said beside it: enough to prove, years later, what was delivered to whom."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.sharing.models import Export
from apps.sharing.queries.terms import grant_in_version


def manifest_of(export: Export) -> dict[str, Any]:
    """Return the manifest of a file, for programs: under the terms under which it was made.

    Units: bytes of the file; horizon is the batch whose state the rows are; moments with zone.
    """
    grant, terms = export.grant, grant_in_version(export.grant, export.grant_version)
    return {
        "dataset": grant.dataset.code,
        "name": grant.dataset.name,
        "grant": {"id": grant.pk, "version": export.grant_version},
        "format": export.format,
        "rows": export.rows,
        "bytes": export.size_bytes,
        "sha256": export.sha256,
        "horizon": export.horizon,
        "query": export.query,
        "columns": export.columns,
        "terms": {
            "system": grant.system.name,
            "consumer": grant.consumer.name,
            "provider": grant.provider.name,
            "purpose": terms.purpose,
            "row_condition": terms.row_condition,
            "may_redistribute": terms.may_redistribute,
            "expires_at": timezone.localtime(terms.expires_at).isoformat(),
        },
        "asked_by": who_asked(export),
        "asked_at": timezone.localtime(export.created_at).isoformat(),
        "made_at": _moment(export.finished_at),
    }


def facts_of(export: Export) -> list[tuple[str, str]]:
    """Return what can be said of a file before it is whole, as labels and words."""
    grant = export.grant
    names = {"grant": grant, "version": export.grant_version}
    return [
        (_("数据目录"), f"{grant.dataset.name}（{grant.dataset.code}）"),
        (_("授权"), _("%(grant)s，第 %(version)s 版") % names),
        (_("截至批次"), str(export.horizon)),
        (_("提供部门"), grant.provider.name),
        (_("使用部门"), grant.consumer.name),
        (_("使用系统"), grant.system.name),
        (_("使用目的"), grant.purpose),
        (_("导出"), str(export)),
        (_("申请人"), who_asked(export)),
        (_("申请时间"), f"{timezone.localtime(export.created_at):%Y-%m-%d %H:%M:%S}"),
    ]


def who_asked(export: Export) -> str:
    """Return the person's name, or that of the system."""
    if export.asked_by.kind == User.Kind.SERVICE:
        return export.grant.system.name
    return export.asked_by.get_full_name()


def _moment(at: Any) -> str | None:
    return None if at is None else timezone.localtime(at).isoformat()
