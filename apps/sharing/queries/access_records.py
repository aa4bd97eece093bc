"""Who read what, by names: an access record itself keeps numbers, so that it outlives them."""

import re
from typing import Any

from django.db.models import CharField, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import gettext as _

from apps.accounts.models import InformationSystem, User
from apps.catalog.models import Dataset
from apps.ledger import queries as ledger
from apps.ledger.models import AccessRecord
from apps.sharing.models import Grant

_GRANT = re.compile(r"G-?0*(\d{1,18})", re.IGNORECASE)


def told_by_name(records: QuerySet[AccessRecord]) -> QuerySet[AccessRecord]:
    """Add the names to each read, and what left in the end (`ledger.queries.with_ends`).

    Adds: `dataset_name`, `dataset_code`, `provider`, `system_name`, `system_code`, `consumer`;
        `person`, `office`: who tried, previewed or fetched it in person and in which department,
        None for a system's own call.
    """
    dataset = Dataset.objects.filter(pk=OuterRef("dataset_id"))
    system = InformationSystem.objects.filter(pk=OuterRef("system_id"))
    person = User.objects.filter(pk=OuterRef("user_id"), information_system=None)
    return ledger.with_ends(records).annotate(
        dataset_name=_of(dataset, F("name")),
        dataset_code=_of(dataset, F("code")),
        provider=_of(dataset, _short("department")),
        system_name=_of(system, F("name")),
        system_code=_of(system, F("code")),
        consumer=_of(system, _short("department")),
        person=_of(person, F("name")),
        office=_of(person, _short("department")),
    )


def found_among(records: QuerySet[AccessRecord], text: str) -> QuerySet[AccessRecord]:
    """Keep the reads that every word is about: a dataset, a system or its department, a grant."""
    for word in text.split():
        records = records.filter(_about(word))
    return records


def deed_of(record: AccessRecord) -> str:
    """Say what was done, where the kind alone does not: a file made is not a file fetched."""
    asked: dict[str, Any] = record.query if isinstance(record.query, dict) else {}
    number = asked.get("export")
    if number is not None:
        words = {"export": f"E-{int(number):06d}"}
        if "sha256" in asked:
            return _("下载导出文件 %(export)s") % words
        return _("生成导出文件 %(export)s") % words
    if asked.get("of") == "proof":
        return _("核对副本")
    return str(record.get_kind_display())


def _about(word: str) -> Q:
    grant = _GRANT.fullmatch(word)
    if grant:
        return Q(grant_id=int(grant[1]))
    code = word.replace("-", "/") if re.fullmatch(r"\d+-\d+", word) else word
    datasets = Dataset.objects.filter(Q(name__icontains=word) | Q(code=code))
    department = Q(department__name__icontains=word) | Q(department__short_name__icontains=word)
    systems = InformationSystem.objects.filter(
        Q(name__icontains=word) | Q(code__iexact=word) | department
    )
    grants = Grant.objects.filter(request__number__iexact=word)
    return (
        Q(dataset_id__in=datasets.values("pk"))
        | Q(system_id__in=systems.values("pk"))
        | Q(grant_id__in=grants.values("pk"))
        | Q(table=word)
    )


def _of(rows: QuerySet[Any], value: Any) -> Subquery:
    return Subquery(rows.annotate(told=value).values("told")[:1], output_field=CharField())


def _short(to: str) -> Coalesce:
    """A department as everybody calls it: `Department.__str__`, in the database."""
    return Coalesce(NullIf(f"{to}__short_name", Value("")), f"{to}__name")
