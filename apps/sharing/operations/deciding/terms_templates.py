"""The provider keeps terms ready for a dataset, changes them, puts them out of use."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access, conditions
from apps.core.errors import Conflict, InvalidInput, StaleRevision, required_text
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.lifecycle import TERMS_TEMPLATE
from apps.sharing.models import LIMIT_FIELDS, Mode, TermsTemplate
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding.limits import checked_limits, refuse_unanswerable
from apps.sharing.operations.versions import save_version
from apps.sharing.terms_sql import Terms


@attempt("sharing.save_template", "dataset")
def save_template(
    *,
    dataset: Dataset,
    actor: User,
    at: datetime,
    name: str,
    items: Mapping[str, str],
    template: TermsTemplate | None = None,
    row_condition: Sequence[dict[str, Any]] = (),
    revision: int | None = None,
    **more: Any,
) -> TermsTemplate:
    """Keep named terms for a dataset, or write those of a template anew.

    items: column names with their masks. more: note, is_verify_only, validity_months,
    is_recommended and the limits (`LIMIT_FIELDS`); what is left out is empty. Recommending one
    takes the recommendation from the other.

    Source: house rule (issue 5: templates of terms per dataset)
    Raises:
        NotAllowed: the actor does not answer for the dataset.
        InvalidInput: no name, no items, terms that no grant of the dataset could have.
        Conflict: another template of the dataset has the name, or this one is out of use.
    """
    standing = access.require(actor, "keep_templates", dataset, at=at)
    Dataset.objects.select_for_update(of=("self",)).get(pk=dataset.pk)  # one saves at a time
    row = _row(dataset, template, at=at, revision=revision)
    terms = _checked(dataset, items, row_condition, is_verify_only=more.get("is_verify_only"))
    written: dict[str, Any] = {
        **dict.fromkeys(LIMIT_FIELDS),
        "allowed_addresses": [],
        "may_redistribute": False,
        **checked_limits(more),
        **terms,
        "name": _free_name(row, name),
        "note": (more.get("note") or "").strip(),
        "is_verify_only": bool(more.get("is_verify_only")),
        "validity_months": _months(more.get("validity_months")),
        "is_recommended": bool(more.get("is_recommended")),
    }
    if written["is_recommended"]:
        _take_recommendation(row, actor=actor, at=at)
    for field, value in written.items():
        setattr(row, field, value)
    row.updated_at = at
    is_new = row.pk is None
    reason = _("新建") if is_new else _("修改")
    row.revision += int(not is_new)
    save_version(row, actor=actor, at=at, reason=reason, insert=is_new)
    ledger.record(standing, "sharing.save_template", row, at=at, details={"name": row.name})
    return row


@attempt("sharing.retire_template", "template")
def retire_template(
    *,
    template: TermsTemplate,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> TermsTemplate:
    """Put a template out of use; opinions that were begun with it stay as they are."""
    standing = access.require(actor, "retire_template", template, at=at)
    TERMS_TEMPLATE.apply(
        template, "retire_template", actor=actor, at=at, reason=reason, revision=revision
    )
    ledger.record(standing, "sharing.retire_template", template, at=at)
    return template


def _row(
    dataset: Dataset, template: TermsTemplate | None, *, at: datetime, revision: int | None
) -> TermsTemplate:
    """Return the template as it stands, locked, or a new one."""
    if template is None:
        return TermsTemplate(dataset=dataset, created_at=at, updated_at=at)
    row = TermsTemplate.objects.select_for_update().get(pk=template.pk, dataset=dataset)
    if row.status != TermsTemplate.Status.IN_USE:
        raise Conflict(_("模板已停用，不能修改"), code="template_retired")
    if revision is not None and revision != row.revision:
        raise StaleRevision
    return row


def _checked(
    dataset: Dataset,
    items: Mapping[str, str],
    row_condition: Sequence[dict[str, Any]],
    *,
    is_verify_only: Any,
) -> dict[str, Any]:
    """Return items and condition as a template keeps them, checked against the contract."""
    contract = catalog.contract_of(dataset)
    closed = {item.column_name for item in queries.unshareable(list(dataset.items.all()))}
    if closed & set(items):
        raise InvalidInput(_("不予共享的数据项不能列入模板"), code="not_shared", field="items")
    unknown = set(items) - {column.name for column in contract.columns}
    if unknown:
        raise InvalidInput(
            _("“%(item)s”不是该目录的数据项") % {"item": min(unknown)}, field="items"
        )
    kept = [
        {"name": column.name, "mask": items[column.name]}
        for column in contract.columns
        if column.name in items
    ]
    written = [c.to_json() for c in conditions.parse(row_condition, contract.columns)]
    Terms.of(contract, kept, written)
    refuse_unanswerable(Mode.VERIFY if is_verify_only else "", kept, contract)
    return {"items": kept, "row_condition": written}


def _free_name(row: TermsTemplate, name: str) -> str:
    text = required_text(name, _("填写模板名称"), field="name")
    longest = TermsTemplate._meta.get_field("name").max_length or 0
    if len(text) > longest:
        raise InvalidInput(_("模板名称最多 %(n)s 个字") % {"n": longest}, field="name")
    same = TermsTemplate.objects.filter(dataset=row.dataset, name=text, status="in_use")
    if same.exclude(pk=row.pk).exists():
        raise Conflict(_("该目录已有同名模板"), code="name_taken", field="name")
    return text


def _months(value: Any) -> int | None:
    if value is None:
        return None
    if not 1 <= value <= TermsTemplate.LONGEST_MONTHS:
        raise InvalidInput(
            _("使用时限为 1 至 %(n)s 个月") % {"n": TermsTemplate.LONGEST_MONTHS},
            field="validity_months",
        )
    return int(value)


def _take_recommendation(row: TermsTemplate, *, actor: User, at: datetime) -> None:
    """The dataset's other template is recommended no longer."""
    others = TermsTemplate.objects.select_for_update().filter(
        dataset=row.dataset, status="in_use", is_recommended=True
    )
    for other in others.exclude(pk=row.pk):
        other.is_recommended, other.updated_at = False, at
        other.revision += 1
        save_version(other, actor=actor, at=at, reason=_("改为推荐另一模板"))
