"""Report the catalogue upward: mapping, packages of changes, receipts; take upper catalogues in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.history import remember
from apps.accounts.models import User
from apps.accounts.queries import holders_of, platform_user
from apps.catalog.exchange import FILES, Exchange, Receipt
from apps.catalog.lifecycle import PACKAGE
from apps.catalog.models import (
    Dataset,
    UpperDataset,
    UpperLevel,
    UpwardEntry,
    UpwardMapping,
    UpwardPackage,
)
from apps.catalog.queries import upward as queries
from apps.core import access
from apps.core.copying import draw_keys
from apps.core.errors import Conflict, InvalidInput, required_text
from apps.ledger import operations as ledger

MAPPED: Final = (
    "national_code",
    "provincial_code",
    "classification",
    "attribute",
    "cycle",
    "format",
    "note",
)


@dataclass(frozen=True)
class Verdict:
    """What became of one line of a receipt file; `problem` is empty where it was taken."""

    receipt: Receipt
    problem: str | Promise = ""


@transaction.atomic
def map_upward(*, dataset: Dataset, actor: User, at: datetime, **values: str) -> UpwardMapping:
    """Write an entry's codes above and what of it is reported otherwise than the table says.

    Source: house rule (上报)
    Raises:
        NotAllowed: the actor does not report for the authority, or the entry is not in force.
    """
    standing = access.require(actor, "map_upward", dataset, at=at)
    unknown = set(values) - set(MAPPED)
    if unknown:
        raise TypeError(f"a mapping has no {sorted(unknown)}")
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    mapping = UpwardMapping.objects.filter(dataset=dataset).first() or UpwardMapping(
        dataset=dataset
    )
    changed = [name for name, value in values.items() if getattr(mapping, name) != value.strip()]
    if not changed and mapping.pk:
        return mapping
    for name in changed:
        setattr(mapping, name, values[name].strip())
    mapping.updated_by, mapping.updated_at = actor, at
    mapping.full_clean(exclude=("dataset", "updated_by"))
    mapping.save()
    labels = [str(UpwardMapping._meta.get_field(name).verbose_name) for name in changed]  # type: ignore[union-attr]
    ledger.record(standing, "catalog.map_upward", dataset, at=at, details={"changed": labels})
    return mapping


@transaction.atomic
def make_package(*, level: str, actor: User, at: datetime) -> UpwardPackage:
    """Gather what changed since the last package to this level, as it is to be sent.

    What was returned or differed is sent again. One package a level waits to be sent at a time.

    Source: house rule (上报)
    Raises:
        NotAllowed: the actor does not report for the authority.
        Conflict: one waits already, or nothing changed.
    """
    standing = access.require(actor, "create", UpwardPackage, at=at)
    if level not in UpperLevel.values:
        raise InvalidInput(_("选择上报给哪一级"), field="level")
    if UpwardPackage.objects.filter(level=level, status="made").exists():
        raise Conflict(_("该上级已有一份尚未上报的数据包"), code="package_waiting")
    due = queries.changes_to_report(level)
    if not due:
        raise Conflict(_("自上次上报以来目录没有变动"), code="nothing_to_report")
    package = UpwardPackage(
        level=level,
        made_by=actor,
        created_at=at,
        updated_at=at,
    )
    draw_keys([package])
    package.number = f"SB-{timezone.localtime(at).year}-{package.pk:06d}"
    remember(package, actor=actor, at=at, reason=_("生成"))
    try:
        with transaction.atomic():
            package.save(force_insert=True)
    except IntegrityError as error:  # somebody made one at the same moment
        raise Conflict(_("该上级已有一份尚未上报的数据包"), code="package_waiting") from error
    UpwardEntry.objects.bulk_create(
        (
            UpwardEntry(
                package=package,
                dataset_id=change.dataset_id,
                change=change.change,
                version=change.version,
                snapshot=change.snapshot,
            )
            for change in due
        ),
        batch_size=200,
    )
    ledger.record(standing, "catalog.make_package", package, at=at, details={"entries": len(due)})
    return package


@transaction.atomic
def send(
    *,
    package: UpwardPackage,
    actor: User,
    at: datetime,
    outside_number: str = "",
    revision: int | None = None,
) -> UpwardPackage:
    """Note that the package was handed in above, with the number given to it there.

    Raises:
        NotAllowed: the actor does not report for the authority.
        IllegalMove: it was sent or discarded already.
    """
    standing = access.require(actor, "send", package, at=at)
    PACKAGE.apply(
        package,
        "send",
        actor=actor,
        at=at,
        revision=revision,
        outside_number=outside_number.strip(),
        sent_by=actor,
        sent_at=at,
    )
    ledger.record(standing, "catalog.send", package, at=at)
    return package


@transaction.atomic
def discard(
    *,
    package: UpwardPackage,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> UpwardPackage:
    """Drop a package that was not sent; its changes come into the next one."""
    standing = access.require(actor, "discard", package, at=at)
    PACKAGE.apply(package, "discard", actor=actor, at=at, reason=reason, revision=revision)
    ledger.record(standing, "catalog.discard", package, at=at, details={"reason": reason.strip()})
    return package


@transaction.atomic
def take_receipts(
    *,
    package: UpwardPackage,
    content: bytes,
    name: str,
    actor: User,
    at: datetime,
    exchange: Exchange = FILES,
) -> list[Verdict]:
    """Write what the level above said of each entry; say of every line what became of it.

    A line that fits no entry, or says nothing known, is named and left out; the others count. A
    later file may correct an earlier one. With the last receipt the package is receipted.

    Raises:
        NotAllowed: the actor does not report for the authority.
        Conflict: the package was not sent.
        InvalidInput: the file cannot be read.
    """
    standing = access.require(actor, "take_receipts", package, at=at)
    package = UpwardPackage.objects.select_for_update().get(pk=package.pk)
    if package.status not in ("sent", "receipted"):
        raise Conflict(_("数据包尚未上报，没有回执"), code="not_sent")
    entries = {entry.dataset.code: entry for entry in package.entries.select_related("dataset")}
    verdicts = [_verdict(each, entries) for each in exchange.receipts(content, name)]
    taken = [verdict.receipt for verdict in verdicts if not verdict.problem]
    for receipt in taken:
        entry = entries[receipt.code]
        entry.receipt, entry.receipted_at = receipt.verdict, at
        entry.upper_code, entry.receipt_note = receipt.upper_code[:100], receipt.note
    UpwardEntry.objects.bulk_update(
        [entries[code] for code in {receipt.code for receipt in taken}],
        ["receipt", "receipted_at", "upper_code", "receipt_note"],
        batch_size=500,
    )
    _keep_codes(package, entries, taken, actor=actor, at=at)
    ledger.record(
        standing,
        "catalog.take_receipts",
        package,
        at=at,
        details={"taken": len(taken), "left_out": len(verdicts) - len(taken)},
    )
    if package.status == "sent" and not package.entries.filter(receipt="").exists():
        _close(package, at=at)
    return verdicts


@transaction.atomic
def import_upper(
    *,
    level: str,
    content: bytes,
    name: str,
    actor: User,
    at: datetime,
    exchange: Exchange = FILES,
) -> int:
    """Take a whole catalogue of a level above in; what it no longer has is marked as gone.

    Raises:
        NotAllowed: the actor does not report for the authority.
        InvalidInput: the file cannot be read, is empty, or a line lacks code or name.
    """
    standing = access.require(actor, "import", UpperDataset, at=at)
    if level not in UpperLevel.values:
        raise InvalidInput(_("选择是哪一级的目录"), field="level")
    rows = exchange.upper_datasets(content, name)
    _refuse_bad_rows(rows)
    found = [_upper(level, row, at) for row in rows]
    UpperDataset.objects.bulk_create(
        found,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["level", "code"],
        update_fields=[
            "name",
            "provider_name",
            "abstract",
            "items",
            "attribute",
            "cycle",
            "our_code",
            "is_standing",
            "imported_at",
        ],
    )
    gone = UpperDataset.objects.filter(level=level, is_standing=True).exclude(
        code__in=[row.code for row in found]
    )
    count = gone.update(is_standing=False, imported_at=at)
    ledger.record(
        standing,
        "catalog.import_upper",
        None,
        at=at,
        details={"level": level, "count": len(found), "gone": count},
    )
    return len(found)


def _verdict(receipt: Receipt, entries: Mapping[str, UpwardEntry]) -> Verdict:
    if receipt.code not in entries:
        return Verdict(receipt, _("这份数据包里没有该目录"))
    if not receipt.verdict:
        return Verdict(receipt, _("回执应为已接收、退回或者有差异"))
    return Verdict(receipt)


def _keep_codes(
    package: UpwardPackage,
    entries: Mapping[str, UpwardEntry],
    taken: Iterable[Receipt],
    *,
    actor: User,
    at: datetime,
) -> None:
    """Keep the codes that the level above gave, for the next package."""
    field = f"{package.level}_code"
    given = {
        entries[receipt.code].dataset_id: receipt.upper_code[:100]
        for receipt in taken
        if receipt.upper_code
    }
    UpwardMapping.objects.bulk_create(
        (
            UpwardMapping(dataset_id=key, updated_by=actor, updated_at=at, **{field: code})
            for key, code in given.items()
        ),
        batch_size=500,
        update_conflicts=True,
        unique_fields=["dataset"],
        update_fields=[field, "updated_by", "updated_at"],
    )


def _close(package: UpwardPackage, *, at: datetime) -> None:
    platform = platform_user()
    PACKAGE.apply(package, "receipt", actor=platform, at=at, receipted_at=at)
    ledger.record(platform, "catalog.receipt", package, at=at, department=None)
    ledger.notify(
        holders_of("authority_officer"),
        title=_("上报数据包 %(number)s 回执齐全") % {"number": package.number},
        url=package.get_absolute_url(),
        at=at,
        subject=package,
    )


def _refuse_bad_rows(rows: list[dict[str, str]]) -> None:
    if not rows:
        raise InvalidInput(_("文件里没有目录"), field="file")
    seen: set[str] = set()
    for line, row in enumerate(rows, 2):
        code = required_text(
            row["code"], _("第 %(line)d 行没有代码") % {"line": line}, field="file"
        )
        required_text(row["name"], _("第 %(line)d 行没有名称") % {"line": line}, field="file")
        if code in seen:
            raise InvalidInput(
                _("第 %(line)d 行的代码 %(code)s 重复") % {"line": line, "code": code},
                field="file",
            )
        seen.add(code)


def _upper(level: str, row: Mapping[str, Any], at: datetime) -> UpperDataset:
    items = [part.strip()[:200] for part in row["items"].replace("、", "；").split("；")]
    return UpperDataset(
        level=level,
        code=row["code"][:100],
        name=row["name"][:200],
        provider_name=row["provider_name"][:100],
        abstract=row["abstract"],
        items=[item for item in items if item],
        attribute=row["attribute"][:60],
        cycle=row["cycle"][:60],
        our_code=row["our_code"].replace("-", "/")[:60],
        is_standing=True,
        imported_at=at,
    )
