"""Write what an adopted spreadsheet says: drafts, changes, census numbers; all of it or nothing.

One transaction that holds the import's row. A worker that dies leaves nothing behind, and the next
one does the whole again.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import DataError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog import queries
from apps.catalog.lifecycle import IMPORT
from apps.catalog.models import (
    CatalogImport,
    CensusFigures,
    DataItem,
    Dataset,
    ImportEntry,
)
from apps.catalog.operations.drafting import revise_dataset
from apps.catalog.operations.writing_many import (
    BATCH,
    NewChange,
    NewEntry,
    change_many,
    create_many,
)
from apps.catalog.proposals import Pointers, python_values
from apps.catalog.spreadsheets.comparing import ORDER, decided
from apps.catalog.spreadsheets.known import KnownEntry, known_entries
from apps.core import access
from apps.core.access import Standing
from apps.core.errors import DomainError, NotAllowed
from apps.ledger import operations as ledger

MOST_ATTEMPTS: Final = 3
_IN_FORCE: Final = ("published", "withdrawal_requested")
Action, Outcome = ImportEntry.Action, ImportEntry.Outcome


class _Moved(Exception):
    """What was checked is not what there is; nothing may be written."""


def adopt_imports(*, at: datetime) -> int:
    """Write every import that somebody adopted; return how many were done or given back."""
    done = 0
    for key in list(queries.imports_to_adopt().values_list("pk", flat=True)):
        done += adopt_import(key=key, at=at)
    return done


def adopt_import(*, key: int, at: datetime) -> bool:
    """Write one adopted import; say whether it was this worker's to do."""
    CatalogImport.objects.filter(pk=key, status="adopting").update(attempts=F("attempts") + 1)
    try:
        with transaction.atomic():
            held = CatalogImport.objects.select_for_update(skip_locked=True, of=("self",)).filter(
                pk=key, status="adopting"
            )
            subject = held.first()
            if subject is None:
                return False
            if subject.attempts > MOST_ATTEMPTS:
                raise _Moved(_("采用多次中断，已停止；请运维人员查看日志"))
            _Adoption(subject, at).write()
    except (_Moved, DomainError) as error:
        _give_back(key, str(error), at)
    except (IntegrityError, DataError):
        _give_back(key, _("写入时与现有目录冲突，没有采用；重新检查后再采用"), at)
    return True


@transaction.atomic
def _give_back(key: int, words: str, at: datetime) -> None:
    subject = CatalogImport.objects.get(pk=key)
    IMPORT.apply(subject, "give_back", actor=None, at=at, problem=words)
    details = {"reason": words}
    ledger.record(
        None, "catalog.give_back", subject, at=at, department=subject.department, details=details
    )
    _tell(subject, _("表格没有采用：%(file)s") % {"file": subject.file_name}, words, at)


def _tell(subject: CatalogImport, title: str, words: str, at: datetime) -> None:
    person = subject.decided_by
    if person is None:
        return
    ledger.notify(
        [person],
        title=title,
        body=f"{subject}：{words}",
        url=subject.get_absolute_url(),
        at=at,
        subject=subject,
    )


class _Adoption:
    """One adoption, inside its transaction."""

    def __init__(self, subject: CatalogImport, at: datetime) -> None:
        self.subject = subject
        self.at = at
        actor = subject.decided_by
        if actor is None:
            raise NotAllowed
        self.actor: User = actor
        self.standing: Standing = access.require(actor, "adopt", subject, at=at)
        self.reason = _("由表格 %(subject)s（%(file)s）导入") % {
            "subject": subject,
            "file": subject.file_name,
        }

    def write(self) -> None:
        self._create()
        self._revise()
        self.subject.entries.filter(outcome="").exclude(action=Action.UNCHANGED).update(
            outcome=Outcome.SKIPPED
        )
        outcomes = queries.outcome_counts(self.subject)
        summary = {**self.subject.summary, "outcomes": outcomes}
        IMPORT.apply(
            self.subject,
            "complete",
            actor=self.actor,
            at=self.at,
            summary=summary,
            finished_at=max(self.at, timezone.now()),
        )
        ledger.record(
            self.standing,
            "catalog.complete",
            self.subject,
            at=self.at,
            department=self.subject.department,
            details=outcomes,
        )
        title = _("表格已采用：%(file)s") % {"file": self.subject.file_name}
        _tell(self.subject, title, _("形成的草稿和变更，补齐后一并提交审批"), self.at)

    def _create(self) -> None:
        """Enter the drafts a thousand at a time: their proposals are long."""
        wanted = (
            self.subject.entries.filter(action=Action.CREATE)
            .select_related("department__region")
            .order_by("position")
        )
        places = list(wanted.values_list("position", flat=True))
        for start in range(0, len(places), BATCH):
            chunk = places[start : start + BATCH]
            self._create_some(list(wanted.filter(position__range=(chunk[0], chunk[-1]))))

    def _create_some(self, entries: Sequence[ImportEntry]) -> None:
        made = create_many(
            [_new_entry(entry) for entry in entries],
            standing=self.standing,
            actor=self.actor,
            at=self.at,
            reason=self.reason,
        )
        for entry, dataset in zip(entries, made, strict=True):
            entry.dataset, entry.code = dataset, dataset.code
            entry.outcome = Outcome.CREATED
        self._count(entries)
        ImportEntry.objects.bulk_update(entries, ["dataset", "code", "outcome"], batch_size=500)

    def _revise(self) -> None:
        entries = list(
            self.subject.entries.filter(action__in=[Action.REVISE, Action.CONFLICT]).order_by(
                "position"
            )
        )
        keys = [entry.dataset_id for entry in entries if entry.dataset_id]
        datasets = (
            Dataset.objects.select_for_update(of=("self",))
            .select_related("department")
            .order_by("pk")
            .in_bulk(keys)
        )
        known = {each.pk: each for each in known_entries(Dataset.objects.filter(pk__in=keys))}
        fit = [entry for entry in entries if self._is_fit(entry, known)]
        wanted = [each for each in fit if self._says_something(each)]
        self._begin_changes(
            [each for each in wanted if self._in_force(each, known)], datasets, known
        )
        for entry in wanted:
            if not self._in_force(entry, known):
                self._revise_draft(entry, datasets[entry.dataset_id or 0])
        self._count(fit)
        ImportEntry.objects.bulk_update(entries, ["outcome", "note", "change"], batch_size=500)

    def _in_force(self, entry: ImportEntry, known: dict[int, KnownEntry]) -> bool:
        return known[entry.dataset_id or 0].status in _IN_FORCE

    def _is_fit(self, entry: ImportEntry, known: dict[int, KnownEntry]) -> bool:
        """Say whether the entry is still as it was checked; else leave it out, or give all back.

        Raises:
            _Moved: everything or nothing was asked for.
        """
        now = known.get(entry.dataset_id or 0)
        same = now is not None and now.revision == entry.dataset_revision
        if same and now is not None and not now.has_open_change:
            return True
        words = _("“%(name)s”在检查之后又被修改，重新检查后再采用") % {"name": entry}
        if self.subject.scope == CatalogImport.Scope.ALL:
            raise _Moved(words)
        entry.outcome, entry.note = Outcome.SKIPPED, words
        return False

    def _says_something(self, entry: ImportEntry) -> bool:
        """Say whether anything beside numbers is to be written, once conflicts are decided."""
        fields, items = _settled(entry)
        if fields or items is not None:
            return True
        if _census_of(entry):
            entry.outcome = Outcome.COUNTED
        else:
            entry.outcome = Outcome.SKIPPED
            entry.note = _("按决定保留平台现在的内容，没有改动")
        return False

    def _begin_changes(
        self,
        entries: Sequence[ImportEntry],
        datasets: dict[int, Dataset],
        known: dict[int, KnownEntry],
    ) -> None:
        wanted = []
        for entry in entries:
            fields, items = _settled(entry)
            key = entry.dataset_id or 0
            wanted.append(NewChange(datasets[key], known[key].version, fields, items))
        made = change_many(
            wanted, standing=self.standing, actor=self.actor, at=self.at, reason=self.reason
        )
        for entry, change in zip(entries, made, strict=True):
            entry.change, entry.outcome = change, Outcome.CHANGED

    def _revise_draft(self, entry: ImportEntry, dataset: Dataset) -> None:
        fields, items = _settled(entry)
        related = fields.pop("related", None)
        rows: list[tuple[Any, Any]] = [(Dataset, fields)]
        rows += [(DataItem, _bare(item)) for item in items or ()]
        pointers = Pointers(rows)
        revise_dataset(
            dataset=dataset,
            actor=self.actor,
            at=self.at,
            reason=self.reason,
            items=None
            if items is None
            else [
                {
                    **python_values(DataItem, _bare(item), pointers),
                    **({"pk": item["pk"]} if item.get("pk") else {}),
                }
                for item in items
            ],
            related=None if related is None else Dataset.objects.filter(code__in=related),
            **python_values(Dataset, fields, pointers),
        )
        entry.outcome = Outcome.REVISED

    def _count(self, entries: Sequence[ImportEntry]) -> None:
        """Keep the census numbers, with their history; they are statistics and need no review."""
        counted = {
            entry.dataset_id: _census_of(entry)
            for entry in entries
            if entry.dataset_id and _census_of(entry)
        }
        rows = {
            row.dataset_id: row for row in CensusFigures.objects.filter(dataset__in=counted.keys())
        }
        fresh: list[CensusFigures] = []
        known: list[CensusFigures] = []
        for key, census in counted.items():
            row = rows.get(key) or CensusFigures(dataset_id=key)
            for name, value in census.items():
                setattr(row, name, None if value is None else Decimal(value))
            row.updated_at = self.at
            (known if row.pk else fresh).append(row)
        made = CensusFigures.objects.bulk_create(fresh, batch_size=500)
        CensusFigures.objects.bulk_update(known, [*_CENSUS, "updated_at"], batch_size=500)
        history: Any = CensusFigures.history
        for changed, is_update in ((made, False), (known, True)):
            history.bulk_history_create(
                changed,
                update=is_update,
                batch_size=500,
                default_user=self.actor,
                default_change_reason=self.reason,
                default_date=self.at,
            )
        if counted:
            ledger.record(
                self.standing,
                "catalog.change_census",
                self.subject,
                at=self.at,
                details={"count": len(counted)},
            )


_CENSUS: Final = tuple(
    field.name
    for field in CensusFigures._meta.concrete_fields
    if field.name not in {"id", "dataset", "updated_at"}
)


def _new_entry(entry: ImportEntry) -> NewEntry:
    proposal = entry.proposal
    if entry.department is None:
        raise _Moved(_("“%(name)s”没有提供部门") % {"name": entry})
    return NewEntry(
        department=entry.department,
        classification=proposal["classification"],
        fields=proposal["fields"],
        items=proposal["items"] or (),
        related=proposal["related"] or (),
    )


def _census_of(entry: ImportEntry) -> dict[str, Any]:
    """Return the census numbers to be written, after the decisions."""
    fields, _items = decided({}, None, entry.proposal["clashes"], entry.decisions)
    chosen = {name[7:]: value for name, value in fields.items() if name.startswith("census.")}
    return {**entry.proposal["census"], **chosen}


def _settled(entry: ImportEntry) -> tuple[dict[str, Any], list[dict[str, Any]] | None]:
    """Return fields, with `related`, and items after the decisions; nothing where all is as is."""
    proposal = entry.proposal
    fields, items = decided(
        proposal["fields"], proposal["items"], proposal["clashes"], entry.decisions
    )
    fields = {name: value for name, value in fields.items() if not name.startswith("census.")}
    if proposal["related"] is not None:
        fields["related"] = proposal["related"]
    mine = [each for each in proposal["clashes"] if entry.decisions.get(each["key"]) == "mine"]
    touched = any(_of_items(each) for each in (*proposal["differences"], *mine))
    return fields, items if touched else None


def _of_items(difference: dict[str, Any]) -> bool:
    return bool(difference["item"]) or difference["field"] == ORDER


def _bare(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in {"pk", "is_new", "position"}}
