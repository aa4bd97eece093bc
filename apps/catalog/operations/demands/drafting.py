"""The wanting department writes a demand, changes it, sends it on, takes it back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.history import remember
from apps.accounts.models import Department, InformationSystem, User
from apps.catalog.lifecycle import DEMAND
from apps.catalog.lifecycle.demands import OWN
from apps.catalog.models import Demand
from apps.catalog.operations.demands import owed
from apps.catalog.operations.demands.matching import propose_supply
from apps.catalog.surroundings import significant
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.errors import IllegalMove, InvalidInput, StaleRevision
from apps.ledger import operations as ledger

WRITTEN_FIELDS: Final = (
    "title",
    "scenario",
    "basis",
    "wanted_items",
    "scope",
    "region",
    "update_cycle",
    "mode",
    "needed_by",
    "ends_on",
    "system",
    "provider",
    "contact_name",
    "contact_phone",
)
"""What the wanting department writes; the rest is decided."""

MANDATORY: Final = ("title", "scenario", "basis", "wanted_items", "contact_name", "contact_phone")
MOST_ITEMS: Final = 200


@transaction.atomic
def draft(*, actor: User, at: datetime, **written: Any) -> Demand:
    """Begin a demand of the own department; only its name must be there.

    written: values by `WRITTEN_FIELDS`; `wanted_items` are rows of name and note.

    Source: 《政务数据共享条例》第二十条
    Raises:
        NotAllowed: the actor edits for no department.
        InvalidInput: a value is wrong; `field` in the details says which.
    """
    standing = access.require(actor, "create", Demand, at=at)
    department = (standing.principal or actor).department
    assert department is not None  # only members may draft
    key = next_key()
    demand = Demand(
        pk=key,
        number=number_of(key, at),
        department=department,
        drafted_by=actor,
        created_at=at,
        updated_at=at,
    )
    _write(demand, written)
    save(demand, actor=actor, at=at, reason=_("新建"))
    ledger.record(standing, "catalog.draft_demand", demand, at=at)
    propose_supply(demand, at=at)
    return demand


@transaction.atomic
def revise(
    *, demand: Demand, actor: User, at: datetime, revision: int | None = None, **written: Any
) -> Demand:
    """Change a demand that is still, or again, with its department. What is absent stays.

    Raises:
        NotAllowed: the actor does not edit it now.
        StaleRevision: somebody changed it after `revision`.
        InvalidInput: a value is wrong.
    """
    standing = access.require(actor, "revise", demand, at=at)
    current = Demand.objects.select_for_update(of=("self",)).get(pk=demand.pk)
    if current.status not in OWN:
        raise IllegalMove(_("需求已提交，不能修改"), state=current.status)
    if revision is not None and current.revision != revision:
        raise StaleRevision
    changed = _write(current, written)
    if changed:
        current.revision += 1
        current.updated_at = at
        save(current, actor=actor, at=at, reason=_("修改"))
        labels = [str(Demand._meta.get_field(name).verbose_name) for name in changed]  # type: ignore[union-attr]
        ledger.record(
            standing, "catalog.revise_demand", current, at=at, details={"changed": labels}
        )
        propose_supply(current, at=at)
    demand.refresh_from_db()
    return demand


@transaction.atomic
def submit(
    *, demand: Demand, actor: User, at: datetime, reason: str = "", revision: int | None = None
) -> Demand:
    """Put a complete demand before the head of the own sharing office.

    Source: 《政务数据共享条例》第十一条、第二十条
    Raises:
        NotAllowed: the actor does not edit for the wanting department.
        InvalidInput: something mandatory is missing; `errors` lists all of it.
        IllegalMove: it was sent already.
    """
    standing = access.require(actor, "submit", demand, at=at)
    refuse_incomplete(demand, "submit")
    DEMAND.apply(demand, "submit", actor=actor, at=at, reason=reason, revision=revision)
    owed.hand_on(demand, by=actor, at=at)
    ledger.record(standing, "catalog.submit", demand, at=at, details=said(reason))
    return demand


@transaction.atomic
def recall(
    *, demand: Demand, actor: User, at: datetime, reason: str = "", revision: int | None = None
) -> Demand:
    """Take the demand back from the own head to change it."""
    standing = access.require(actor, "recall", demand, at=at)
    DEMAND.apply(demand, "recall", actor=actor, at=at, reason=reason, revision=revision)
    owed.hand_on(demand, by=actor, at=at)
    ledger.record(standing, "catalog.recall", demand, at=at, details=said(reason))
    return demand


@transaction.atomic
def withdraw(
    *, demand: Demand, actor: User, at: datetime, reason: str, revision: int | None = None
) -> Demand:
    """Give the demand up; nothing is owed on it any more, and the provider is told.

    Raises:
        NotAllowed: the actor does not act for the wanting department.
        IllegalMove: it is met, refused or over.
    """
    standing = access.require(actor, "withdraw", demand, at=at)
    DEMAND.apply(demand, "withdraw", actor=actor, at=at, reason=reason, revision=revision)
    clocks.cancel(demand, at=at)
    owed.hand_on(demand, by=actor, at=at)
    if demand.forwarded_at is not None:
        owed.tell(demand.provider, demand, _("数据需求已撤回：%(title)s"), reason.strip(), at=at)
    ledger.record(standing, "catalog.withdraw", demand, at=at, details=said(reason))
    return demand


def refuse_incomplete(demand: Demand, move: str) -> None:
    """Hold the row and look for what lacks; a wrong status is left for the move to refuse."""
    current = Demand.objects.select_for_update(of=("self",)).get(pk=demand.pk)
    if current.status not in DEMAND.move(move).sources:
        return
    lacking = missing_fields(current)
    if lacking:
        errors = [str(_("填写“%(label)s”") % {"label": label}) for label in lacking.values()]
        raise InvalidInput(
            "；".join(errors), code="demand_incomplete", field=next(iter(lacking)), errors=errors
        )


def missing_fields(demand: Demand) -> dict[str, str]:
    """Return the mandatory fields that are empty, name and label."""
    return {
        name: str(Demand._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        for name in MANDATORY
        if not getattr(demand, name)
    }


def clean_items(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return wanted items as they are kept: names once each, without what does not belong.

    Raises:
        InvalidInput: a row has no name, a name is too long, or there are too many.
    """
    kept: dict[str, dict[str, str]] = {}
    for row in rows:
        name, note = str(row.get("name", "")).strip(), str(row.get("note", "")).strip()
        if not significant(name) or len(name) > 50 or len(note) > 200:
            raise InvalidInput(
                _("数据项名称为 1–50 个字，说明不超过 200 个字：%(name)s") % {"name": name[:60]},
                field="wanted_items",
            )
        kept.setdefault(significant(name), {"name": name, "note": note})
    if len(kept) > MOST_ITEMS:
        raise InvalidInput(
            _("一件需求的数据项不超过 %(most)s 个") % {"most": MOST_ITEMS}, field="wanted_items"
        )
    return list(kept.values())


def next_key() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('catalog_demand', 'id'))")
        (key,) = cursor.fetchone()
    return int(key)


def number_of(key: int, at: datetime) -> str:
    return f"XQ-{timezone.localtime(at).year}-{key:06d}"


def save(demand: Demand, *, actor: User, at: datetime, reason: Any) -> None:
    """Check and save with history.

    Raises:
        InvalidInput: a value does not fit its field.
    """
    try:
        demand.full_clean(exclude=("split_from", "dataset"), validate_unique=False)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(messages[0], field=field, errors=error.message_dict) from error
    remember(demand, actor=actor, at=at, reason=reason)
    demand.save()


def said(reason: str) -> dict[str, str]:
    return {"reason": reason.strip()} if reason.strip() else {}


def _write(demand: Demand, written: Mapping[str, Any]) -> list[str]:
    """Write the values that differ into the row, not yet into the database; return their names."""
    unknown = set(written) - set(WRITTEN_FIELDS)
    if unknown:
        raise TypeError(f"a demand has no {sorted(unknown)}")
    values: dict[str, Any] = {
        name: value.strip() if isinstance(value, str) else value for name, value in written.items()
    }
    if "wanted_items" in values:
        values["wanted_items"] = clean_items(values["wanted_items"])
    _refuse_foreign(demand.department, values.get("provider"), values.get("system"))
    changed = [name for name, value in values.items() if getattr(demand, name) != value]
    for name in changed:
        setattr(demand, name, values[name])
    if demand.needed_by and demand.ends_on and demand.ends_on <= demand.needed_by:
        raise InvalidInput(_("使用截止日期须在希望取得日期之后"), field="ends_on")
    return changed


def _refuse_foreign(
    own: Department, provider: Department | None, system: InformationSystem | None
) -> None:
    if provider is not None and provider.pk == own.pk:
        raise InvalidInput(_("本部门的数据不必提出需求"), field="provider")
    if system is not None and system.department_id != own.pk:
        raise InvalidInput(_("使用系统须是本部门的信息系统"), field="system")
