"""What is to be reported upward, how it is written there, and where the two sides differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.catalog.models import (
    Classification,
    Dataset,
    DatasetVersion,
    FormatClass,
    SharingAttribute,
    UpdateCycle,
    UpperDataset,
    UpperLevel,
    UpwardEntry,
    UpwardMapping,
    UpwardPackage,
    UpwardValue,
)
from apps.core import access

IN_FORCE: Final = ("published", "withdrawal_requested")
SENT: Final = ("sent", "receipted")
ATTRIBUTES: Final = dict(SharingAttribute.choices)
CYCLES: Final = dict(UpdateCycle.choices)
FORMATS: Final = dict(FormatClass.choices)


@dataclass(frozen=True)
class Change:
    """One entry that is to be reported: what happened to it, and how it is written above."""

    dataset_id: int
    change: str
    version: int
    snapshot: dict[str, Any]


@dataclass(frozen=True)
class Gap:
    """Where our catalogue and the one above differ, for one entry."""

    kind: str
    dataset: Dataset
    note: str | Promise
    upper: UpperDataset | None = None


KINDS: Final[dict[str, str | Promise]] = {
    "missing": _("上级没有"),
    "differing": _("上级有差异"),
    "standing": _("本市已撤销、上级仍在用"),
}


def visible_packages(actor: User) -> QuerySet[UpwardPackage]:
    return access.rows(actor, "view", UpwardPackage).select_related("made_by", "sent_by")


def changes_to_report(level: str) -> list[Change]:
    """Return what changed since the last package to this level, in order of the entries' codes.

    An entry counts as reported as it was last sent, unless that was returned or differed. The
    number of statements does not grow with the catalogue.
    """
    last = _last_sent(level)
    written = _Written.load(level)
    found = []
    for dataset_id, version in _latest_versions().items():
        snapshot = written.content(dataset_id, version.snapshot)
        before = last.get(dataset_id)
        change = _change(before, snapshot)
        if change:
            found.append(Change(dataset_id, change, version.number, snapshot))
    found += _withdrawals(last)
    return sorted(found, key=lambda one: str(one.snapshot.get("code", "")))


def reconciliation(level: str) -> list[Gap]:
    """Return where the two catalogues differ: missing above, differing, withdrawn but standing.

    What stands above is told by the receipts, and by the upper catalogue where it was imported.
    """
    last = _last_sent(level, with_content=False)
    standing = {
        upper.our_code: upper
        for upper in UpperDataset.objects.filter(level=level, is_standing=True).exclude(our_code="")
    }
    entries = Dataset.objects.filter(status__in=(*IN_FORCE, "withdrawn")).select_related(
        "department"
    )
    gaps = [
        gap
        for dataset in entries.order_by("code")
        for gap in [_gap(dataset, last.get(dataset.pk), standing.get(dataset.code))]
        if gap is not None
    ]
    order = list(KINDS)
    return sorted(gaps, key=lambda gap: (order.index(gap.kind), gap.dataset.code))


def search_upper(level: str, words: str) -> QuerySet[UpperDataset]:
    """Return entries of the catalogues above that hold every word, or a part of one."""
    listed = Func(F("items"), Value(" "), function="array_to_string", output_field=TextField())
    rows = UpperDataset.objects.filter(is_standing=True).annotate(listed=listed)
    if level:
        rows = rows.filter(level=level)
    for word in words.split():
        rows = rows.filter(
            Q(name__icontains=word)
            | Q(code__istartswith=word)
            | Q(provider_name__icontains=word)
            | Q(abstract__icontains=word)
            | Q(listed__icontains=word)
        )
    return rows


def written_above(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """Return by level how a published entry is written there as things stand."""
    version = DatasetVersion.objects.filter(dataset=dataset).order_by("-number").first()
    if version is None:
        return {}
    return {
        level: _Written.load(level).content(dataset.pk, version.snapshot)
        for level in UpperLevel.values
    }


def content_of(entry: UpwardEntry) -> dict[str, Any]:
    """Return an entry of a package as it goes into the file."""
    return {
        **entry.snapshot,
        "change": str(entry.get_change_display()),
        "version": entry.version,
    }


@dataclass(frozen=True)
class _Written:
    """How values of ours are written at a level: the table, each entry's own, names of codes."""

    code_field: str
    values: Mapping[tuple[str, str], str]
    mappings: Mapping[int, UpwardMapping]
    departments: Mapping[str, str]
    classes: Mapping[str, str]

    @classmethod
    def load(cls, level: str) -> "_Written":
        rows = UpwardValue.objects.filter(level=level)
        return cls(
            f"{level}_code",
            {(row.kind, row.ours): row.theirs for row in rows},
            {row.dataset_id: row for row in UpwardMapping.objects.all()},
            dict(Department.objects.values_list("code", "name")),
            dict(Classification.objects.values_list("code", "name")),
        )

    def content(self, dataset_id: int, snapshot: Mapping[str, Any]) -> dict[str, Any]:
        own = self.mappings.get(dataset_id)
        department = str(snapshot.get("department", ""))
        code = str(snapshot.get("classification", ""))
        attribute = str(snapshot.get("sharing_attribute", ""))
        cycle, kind = str(snapshot.get("update_cycle", "")), str(snapshot.get("format_class", ""))
        return {
            "code": snapshot.get("code", ""),
            "upper_code": getattr(own, self.code_field) if own else "",
            "name": snapshot.get("name", ""),
            "provider": self.departments.get(department, department),
            "abstract": snapshot.get("abstract", ""),
            "classification": self._said(
                own, "classification", code, f"{code} {self.classes.get(code, '')}".strip()
            ),
            "attribute": self._said(own, "attribute", attribute, ATTRIBUTES.get(attribute)),
            "cycle": self._said(own, "cycle", cycle, CYCLES.get(cycle)),
            "format": self._said(own, "format", kind, FORMATS.get(kind)),
            "items": [item["name"] for item in snapshot.get("items", [])],
        }

    def _said(self, own: UpwardMapping | None, kind: str, value: Any, label: Any) -> str:
        """The entry's own word, or the table's, or ours."""
        special = getattr(own, kind) if own else ""
        return special or self.values.get((kind, str(value)), "") or str(label or value or "")


def _last_sent(level: str, *, with_content: bool = True) -> dict[int, UpwardEntry]:
    """Return of each entry how it was last sent to the level, in one statement."""
    rows = (
        UpwardEntry.objects.filter(package__level=level, package__status__in=SENT)
        .order_by("dataset_id", "-id")
        .distinct("dataset_id")
    )
    return {row.dataset_id: row for row in (rows if with_content else rows.defer("snapshot"))}


def _latest_versions() -> dict[int, DatasetVersion]:
    """Return the version in force of every entry in force, in one statement."""
    rows = (
        DatasetVersion.objects.filter(dataset__status__in=IN_FORCE)
        .order_by("dataset_id", "-number")
        .distinct("dataset_id")
        .defer("contract")
    )
    return {row.dataset_id: row for row in rows}


def _change(before: UpwardEntry | None, snapshot: Mapping[str, Any]) -> str:
    if before is None or before.change == UpwardEntry.Change.WITHDRAWN:
        return str(UpwardEntry.Change.ADDED)
    if before.receipt == "returned":
        return str(before.change)
    if before.receipt == "differing":
        return str(UpwardEntry.Change.CHANGED)  # it stands above, otherwise than here
    same = {**before.snapshot, "upper_code": ""} == {**snapshot, "upper_code": ""}
    return "" if same else str(UpwardEntry.Change.CHANGED)


def _withdrawals(last: Mapping[int, UpwardEntry]) -> list[Change]:
    gone = Dataset.objects.filter(pk__in=list(last), status="withdrawn").values_list(
        "pk", flat=True
    )
    return [
        Change(key, str(UpwardEntry.Change.WITHDRAWN), last[key].version, last[key].snapshot)
        for key in gone.values_list("pk", flat=True)
        if last[key].change != UpwardEntry.Change.WITHDRAWN
        or last[key].receipt in ("returned", "differing")
    ]


def _gap(dataset: Dataset, sent: UpwardEntry | None, upper: UpperDataset | None) -> Gap | None:
    is_received = sent is not None and sent.receipt == UpwardEntry.Receipt.RECEIVED
    stands = upper is not None or (is_received and sent is not None and sent.change != "withdrawn")
    if dataset.status == "withdrawn":
        return Gap("standing", dataset, _("撤销须报上级"), upper) if stands else None
    if sent is not None and sent.receipt in ("returned", "differing"):
        note = sent.receipt_note or sent.get_receipt_display()
        return Gap("differing", dataset, note, upper)
    if upper is not None and upper.name != dataset.name:
        return Gap("differing", dataset, _("上级名称为“%(name)s”") % {"name": upper.name}, upper)
    if stands:
        return None
    waiting = sent is not None and not sent.receipt
    return Gap("missing", dataset, _("已上报，未回执") if waiting else _("未上报"), None)
