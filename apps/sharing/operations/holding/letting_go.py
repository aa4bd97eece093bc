"""What falls away with a grant: questions whether it is needed, once it is over, back, renewed."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.ledger import operations as ledger
from apps.sharing.lifecycle import IDLE_NOTICE, RECERTIFICATION
from apps.sharing.models import Grant, IdleNotice, Recertification
from apps.sharing.operations.serving.open_changes import void_open_change
from apps.sharing.queries.service_changes import open_change


def let_go(grant: Grant, *, actor: User, at: datetime) -> None:
    """Drop what is still open about a grant that is over: nothing is owed any more."""
    close_idle_notice(grant, "void", actor=actor, at=at)
    void_open_change(grant, actor=actor, at=at, why=_("授权已结束"))
    _drop_reviews(grant, actor=actor, at=at)


def settle_open_questions(grant: Grant, *, asked_before: datetime, at: datetime) -> None:
    """Drop what is answered by terms that were asked for and agreed anew.

    Whether the grant is needed, and on which terms, was decided then: the yearly look and the
    reminder that nobody uses it fall away, and so does a change announced of the former terms.
    A change or a look that began after the signature, `asked_before`, stays open; the reminder
    begins anew by itself. A grant that was stopped for idleness stays stopped, its question open.
    """
    platform = accounts.platform_user()
    if IdleNotice.objects.filter(grant=grant, status=IdleNotice.Status.NOTICED).exists():
        close_idle_notice(grant, "void", actor=platform, at=at)
    change = open_change(grant)
    if change is not None and change.opened_at <= asked_before:
        void_open_change(grant, actor=platform, at=at, why=_("授权已按新的申请变更"))
    _drop_reviews(grant, actor=platform, at=at, begun_before=asked_before)


def _drop_reviews(
    grant: Grant, *, actor: User, at: datetime, begun_before: datetime | None = None
) -> None:
    for review in Recertification.objects.filter(grant=grant, status__in=Recertification.OPEN):
        if begun_before is not None and review.created_at > begun_before:
            continue
        clocks.cancel(review, at=at)
        RECERTIFICATION.apply(review, "void", actor=actor, at=at)
        ledger.close_todos(review, at=at, by=actor)


def close_idle_notice(grant: Grant, move: str, *, actor: User, at: datetime) -> None:
    """Close the open notice that nobody used the grant, if there is one. Repeat-safe."""
    for notice in IdleNotice.objects.filter(grant=grant, status__in=IdleNotice.OPEN):
        if notice.status == IdleNotice.Status.NOTICED:
            move = "void" if move == "resume" else move
            clocks.cancel(notice, at=at)
        IDLE_NOTICE.apply(notice, move, actor=actor, at=at, closed_at=at)
        ledger.close_todos(notice, at=at, by=actor)
