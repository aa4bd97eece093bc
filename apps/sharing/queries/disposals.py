"""Which disposals are late or void, and what was obtained under a grant and those it continues."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import F, Min, Q, QuerySet, Sum
from django.utils import timezone

from apps.clocks import queries as clocks
from apps.ledger import queries as ledger
from apps.sharing.models import DailyUse, Disposal, Export, Grant, LandedCopy, Mode

CLOCK: Final = "grant.disposal"
_NOTHING_GIVEN: Final = ("verify", "preview")


@dataclass(frozen=True, slots=True)
class Obtained:
    """What the platform knows of the data that went out: for whoever checks the certificate."""

    calls: int
    rows: int
    last_at: datetime | None
    files: int
    copy: LandedCopy | None


def chain_of(grant: Grant) -> QuerySet[Grant]:
    """Return the grant and those it took the place of: one certificate answers for all of them.

    They are what the same system had of the same dataset since the last certificate that was owed
    for it, as far as it was delivered and is over. The system is asked, not the consumer: a reform
    moves the system on, while a grant that is over keeps the old name.

    Source: 《政务数据共享条例》第二十九条; house rule (domain §3)
    """
    same = Grant.objects.filter(
        system=grant.system_id, dataset=grant.dataset_id, provisioned_at__isnull=False
    )
    before = same.filter(pk__lt=grant.pk, status__in=("ended", "expired"))
    certified = before.filter(disposal__isnull=False).order_by("-pk").values_list("pk", flat=True)
    last = certified.first() or 0
    return same.filter(Q(pk=grant.pk) | Q(pk__in=before.filter(pk__gt=last).values("pk")))


def gave_records(grant: Grant) -> bool:
    """Say whether the terms of the grant, or of one it continues, let records go out at any time.

    One that is for verification only may have given records under an earlier version.
    """
    return any(each.history.exclude(mode=Mode.VERIFY).exists() for each in chain_of(grant))


def begun_on(grant: Grant) -> date:
    """Return the first day on which data may have been held under the grant and its chain."""
    first = chain_of(grant).aggregate(first=Min("starts_at"))["first"]
    return timezone.localdate(first or grant.starts_at)


def obtained_under(grant: Grant) -> Obtained:
    """Sum up what went out under a grant, and those it continues, in all their time."""
    chain = list(chain_of(grant).values_list("pk", flat=True))
    sums = DailyUse.objects.filter(grant__in=chain).aggregate(calls=Sum("calls"), rows=Sum("rows"))
    last = ledger.records_of_grant(*chain).exclude(kind="preview").first()
    files = Export.objects.filter(grant__in=chain, rows__gt=0).count()
    copy = LandedCopy.objects.filter(grant__in=chain).order_by("-pk").first()
    return Obtained(
        int(sums["calls"] or 0),
        int(sums["rows"] or 0),
        last.opened_at if last else None,
        files,
        copy,
    )


def was_read(grant: Grant) -> bool:
    """Say whether any record may have gone out under the grant or one it continues.

    Its evidence is asked, not sums: a stream that was opened counts, however far it came; what was
    only verified does not.
    """
    chain = chain_of(grant).values_list("pk", flat=True)
    taken = ledger.records_of_grant(*chain).exclude(kind__in=_NOTHING_GIVEN)
    return taken.filter(Q(rows=None) | Q(rows__gt=0)).exists()


def of_late(rows: QuerySet[Disposal], at: datetime) -> QuerySet[Disposal]:
    """Keep those that lie with the consumer and whose running clock is over."""
    over = clocks.overdue_of(Disposal, CLOCK, at)
    return rows.filter(status__in=Disposal.OWED_STATUSES, pk__in=over)


def disposals_late(at: datetime) -> QuerySet[Disposal]:
    """Return disposals that are late, with what a reminder names."""
    return of_late(Disposal.objects.all(), at).select_related(
        "grant__dataset", "grant__request", "consumer", "provider"
    )


def disposals_of_one_side() -> QuerySet[Disposal]:
    """Return open disposals whose two sides a reform made one department: nobody can check them."""
    return Disposal.objects.filter(
        status__in=Disposal.OPEN_STATUSES, provider=F("consumer")
    ).order_by("pk")
