"""One application for a matter (一件事): written once, handed in as one request per entry.

The parts are ordinary requests: the package begins them, fills what they have in common and sends
them on; what each asks of its entry is written, answered and used on the request itself.

Source: house rule (issue 5: request package, requests for several datasets in one file)
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.core.files.base import File
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem, User
from apps.catalog.models import Dataset, ServiceItem
from apps.core import access
from apps.core.copying import draw_keys
from apps.core.errors import Conflict, InvalidInput, NotAllowed, StaleRevision, required_text
from apps.ledger import operations as ledger
from apps.sharing.models import (
    Attachment,
    BasketEntry,
    Mode,
    RequestPackage,
    SharingRequest,
)
from apps.sharing.operations.asking import contents, drafting
from apps.sharing.operations.asking.papers import attach
from apps.sharing.operations.attempts import attempt
from apps.sharing.queries import CLOSED
from apps.sharing.queries.packages import unsent_parts

COMMON: Final = ("basis", "scenario", "scope", "mode", "starts_on", "ends_on")
WRITTEN: Final = ("title", "service_item", *COMMON)
MOST_PARTS: Final = 30


@attempt("sharing.draft_package")
def draft_package(
    *,
    title: str,
    system: InformationSystem,
    datasets: Sequence[Dataset],
    actor: User,
    at: datetime,
    service_item: ServiceItem | None = None,
    **written: Any,
) -> RequestPackage:
    """Begin the application for a matter: a draft for each entry, with nothing ticked yet.

    written: basis, scenario, scope, mode, starts_on, ends_on; they may be completed later. What is
    taken from the actor's basket is in it no longer.

    Raises:
        InvalidInput: no title; no entry, or too many; an entry that is not to be had; a system of
            another department.
    """
    standing = access.require(actor, "create", RequestPackage, at=at)
    consumer = (standing.principal or actor).department
    assert consumer is not None  # only members may draft
    if not datasets:
        raise InvalidInput(_("至少选择一项数据目录"), field="datasets")
    contents.refuse_unfit_system(system, consumer)
    package = RequestPackage(
        consumer=consumer,
        system=system,
        applicant=actor,
        created_at=at,
        updated_at=at,
    )
    draw_keys([package])
    package.number = f"YJ-{timezone.localtime(at).year}-{package.pk:06d}"
    _write(package, {"title": title, "service_item": service_item, **written})
    package.save(force_insert=True)
    _begin_parts(package, standing, datasets, at=at)
    ledger.record(standing, "sharing.draft_package", package, at=at, details=_named(datasets))
    return package


@attempt("sharing.add_to_package", "package")
def add_to_package(
    *, package: RequestPackage, datasets: Sequence[Dataset], actor: User, at: datetime
) -> RequestPackage:
    """Ask for more entries in the same matter; they get its common statements and papers.

    Raises:
        InvalidInput: an entry is not to be had, or there would be too many.
        Conflict: an entry is asked for in it already.
    """
    standing = access.require(actor, "add_to_package", package, at=at)
    package = _held(package, None)
    if not datasets:
        raise InvalidInput(_("至少选择一项数据目录"), field="datasets")
    made = _begin_parts(package, standing, datasets, at=at)
    _copy_papers(package, made)
    _touch(package, at)
    ledger.record(standing, "sharing.add_to_package", package, at=at, details=_named(datasets))
    return package


@attempt("sharing.revise_package", "package")
def revise_package(
    *,
    package: RequestPackage,
    actor: User,
    at: datetime,
    revision: int | None = None,
    **written: Any,
) -> RequestPackage:
    """Change what the parts have in common; those not sent yet take over what was changed.

    What was changed on a part alone stays there until the same statement is changed here.

    Raises:
        StaleRevision: somebody changed it after the page was opened.
        NotAllowed: the actor does not edit for the department; every part has been sent.
    """
    standing = access.require(actor, "revise_package", package, at=at)
    package = _held(package, revision)
    parts = list(unsent_parts(package))
    if package.parts.exists() and not parts:
        raise NotAllowed(_("各部分都已提交，共同内容不能再修改"), code="already_submitted")
    before = {name: getattr(package, name) for name in WRITTEN}
    _write(package, written)
    changed = [name for name in WRITTEN if getattr(package, name) != before[name]]
    package.revision += 1
    package.updated_at = at
    package.save()
    common = {name: getattr(package, name) for name in COMMON if name in changed}
    for part in parts if common else []:
        drafting.revise(request=part, actor=actor, at=at, **common)
    ledger.record(standing, "sharing.revise_package", package, at=at, details={"changed": changed})
    return package


@attempt("sharing.attach_to_package", "package")
def attach_to_package(
    *,
    package: RequestPackage,
    actor: User,
    at: datetime,
    title: str,
    kind: str = Attachment.Kind.LETTER,
    document_number: str = "",
    file: File[Any] | None = None,
) -> Attachment:
    """Add a paper to every part that is not over; parts added later get it as well.

    Raises:
        InvalidInput: as in `attach`.
        Conflict: the matter has no part, or all are over.
    """
    standing = access.require(actor, "attach_to_package", package, at=at)
    package = _held(package, None)
    parts = list(package.parts.exclude(status__in=(*CLOSED, "agreed")).order_by("pk"))
    if not parts:
        raise Conflict(_("没有办理中的部分，不能添加附件"), code="no_open_part")
    first = attach(
        request=parts[0],
        actor=actor,
        at=at,
        title=title,
        kind=kind,
        document_number=document_number,
        file=file,
    )
    first.is_common = True
    first.save(update_fields=["is_common"])
    Attachment.objects.bulk_create(_copy_of(first, part) for part in parts[1:])
    details = {"title": first.title, "number": first.document_number, "sha256": first.sha256}
    for part in parts[1:]:  # the first one's was written as it was attached
        ledger.record(standing, "sharing.attach", part, at=at, details=details)
    ledger.record(standing, "sharing.attach_to_package", package, at=at, details=details)
    return first


@attempt("sharing.submit_package", "package")
def submit_package(
    *,
    package: RequestPackage,
    vouched: bool,
    actor: User,
    at: datetime,
    revision: int | None = None,
) -> RequestPackage:
    """Send every part that was not sent to the own head, all of them or none.

    vouched: the promise of truth, legality and necessity, for each part.

    Source: 《政务数据共享条例》第二十条
    Raises:
        InvalidInput: a part is not complete, or nobody vouches; the message names the part.
        Conflict: there is nothing to send.
    """
    standing = access.require(actor, "submit_package", package, at=at)
    package = _held(package, revision)
    parts = list(unsent_parts(package).select_related("dataset"))
    if not parts:
        raise Conflict(_("没有待提交的部分"), code="nothing_to_submit")
    if not vouched:
        raise InvalidInput(_("须承诺申请真实、合法、必要"), field="vouched")
    for part in parts:
        _submit(part, actor=actor, at=at)
    _touch(package, at)
    details = {"requests": [part.number for part in parts]}
    ledger.record(standing, "sharing.submit_package", package, at=at, details=details)
    return package


def _submit(part: SharingRequest, *, actor: User, at: datetime) -> None:
    """Send one part; what it lacks is said with the name of its entry."""
    revised = drafting.revise(request=part, actor=actor, at=at, vouched=True)
    try:
        drafting.submit(request=revised, actor=actor, at=at)
    except (InvalidInput, Conflict) as error:
        message = _("“%(dataset)s”：%(error)s") % {"dataset": part.dataset, "error": error}
        raise type(error)(message, code=error.code, part=part.pk) from error


def _begin_parts(
    package: RequestPackage, standing: access.Standing, datasets: Sequence[Dataset], *, at: datetime
) -> list[SharingRequest]:
    chosen = list(dict.fromkeys(datasets))
    alive = package.parts.exclude(status__in=("withdrawn", "refused"))
    if alive.count() + len(chosen) > MOST_PARTS:
        raise InvalidInput(
            _("一件事至多申请 %(most)s 项数据目录") % {"most": MOST_PARTS}, field="datasets"
        )
    doubled = alive.filter(dataset__in=chosen).select_related("dataset").first()
    if doubled is not None:
        raise Conflict(
            _("“%(dataset)s”已在本件中申请（%(number)s）")
            % {"dataset": doubled.dataset, "number": doubled.number},
            code="already_asked",
        )
    made = [_begin_part(package, standing, dataset, at=at) for dataset in chosen]
    BasketEntry.objects.filter(owner=standing.actor, dataset__in=chosen).delete()
    return made


def _begin_part(
    package: RequestPackage, standing: access.Standing, dataset: Dataset, *, at: datetime
) -> SharingRequest:
    part = drafting.begin(
        standing,
        dataset=dataset,
        system=package.system,
        at=at,
        items=(),
        written={name: getattr(package, name) for name in COMMON},
        package=package,
    )
    ledger.record(standing, "sharing.draft_request", part, at=at)
    return part


def _copy_papers(package: RequestPackage, parts: Sequence[SharingRequest]) -> None:
    """Give parts that are added the papers that their elders share."""
    seen: dict[tuple[str, str, str], Attachment] = {}
    for paper in Attachment.objects.filter(request__package=package, is_common=True).order_by("pk"):
        seen.setdefault((paper.title, paper.document_number, paper.sha256), paper)
    Attachment.objects.bulk_create(
        _copy_of(paper, part) for part in parts for paper in seen.values()
    )


def _copy_of(paper: Attachment, part: SharingRequest) -> Attachment:
    """The same paper with another request: the file is kept once."""
    return Attachment(
        request=part,
        kind=paper.kind,
        title=paper.title,
        document_number=paper.document_number,
        file=paper.file.name,
        sha256=paper.sha256,
        is_common=True,
        added_by=paper.added_by,
        added_at=paper.added_at,
    )


def _write(package: RequestPackage, written: dict[str, Any]) -> None:
    unknown = set(written) - set(WRITTEN)
    if unknown:
        raise TypeError(f"a package has no {sorted(unknown)}")
    for name, value in written.items():
        setattr(package, name, value.strip() if isinstance(value, str) else value)
    package.title = required_text(package.title, _("填写事项名称"), field="title")
    if package.mode not in Mode.values:
        raise InvalidInput(_("没有这种共享方式"), field="mode")
    contents.refuse_bad_period(package.starts_on, package.ends_on)


def _held(package: RequestPackage, revision: int | None) -> RequestPackage:
    current = RequestPackage.objects.select_for_update(of=("self",)).get(pk=package.pk)
    if revision is not None and current.revision != revision:
        raise StaleRevision
    return current


def _touch(package: RequestPackage, at: datetime) -> None:
    RequestPackage.objects.filter(pk=package.pk).update(revision=F("revision") + 1, updated_at=at)
    package.refresh_from_db()


def _named(datasets: Sequence[Dataset]) -> dict[str, list[str]]:
    return {"datasets": [dataset.code for dataset in datasets]}
