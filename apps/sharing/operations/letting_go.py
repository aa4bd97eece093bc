"""What falls away with a grant: questions whether it is still needed, once it is over or back."""

from datetime import datetime

from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.ledger import operations as ledger
from apps.sharing.lifecycle import IDLE_NOTICE, RECERTIFICATION
from apps.sharing.models import Grant, IdleNotice, Recertification


def let_go(grant: Grant, *, actor: User, at: datetime) -> None:
    """Drop what is still open about a grant that is over: nothing is owed any more."""
    close_idle_notice(grant, "void", actor=actor, at=at)
    for review in Recertification.objects.filter(grant=grant, status__in=Recertification.OPEN):
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
