"""One table of moves per object: it guards the status, draws the buttons and fills the tests.

A status changes only through `Lifecycle.apply`: one compare-and-set UPDATE. When several people
decide at once exactly one wins; the others are told that the matter has moved on.

Source: house rule (design §3.1, §3.8)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

from django.db import models, transaction
from django.db.models import F, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.errors import IllegalMove, InvalidInput, StaleRevision
from apps.core.models import Governed

Tone = Literal["primary", "neutral", "danger"]
GovernedT = TypeVar("GovernedT", bound=Governed)


@dataclass(frozen=True)
class Move:
    """A named way from some statuses to another.

    `owed` says in Chinese who is owed the next step afterwards; `reason` whether words are needed.
    """

    name: str
    label: str | Promise
    sources: tuple[str, ...]
    target: str
    owed: str | Promise = ""
    reason: bool = False
    tone: Tone = "neutral"


class Lifecycle:
    """The moves of one model, whose `status` nothing else may write."""

    def __init__(
        self, model: str, *, states: type[models.TextChoices], moves: Sequence[Move]
    ) -> None:
        self.model = model
        self.states = states
        self.moves = tuple(moves)
        self._by_name = {move.name: move for move in self.moves}
        self._check()
        registry[model.lower()] = self

    def apply(
        self,
        row: GovernedT,
        name: str,
        *,
        actor: Any,
        at: datetime,
        reason: str = "",
        revision: int | None = None,
        **fields: Any,
    ) -> GovernedT:
        """Move the row and set `fields` with it, in one statement; write its history.

        `revision` is what the person saw on the page; another one means it changed since.

        Raises:
            InvalidInput: the move needs a reason and none was given.
            StaleRevision: somebody changed the row after the page was opened.
            IllegalMove: the row is not in a status from which this move leads.
        """
        move = self.move(name)
        if move.reason and not reason.strip():
            raise InvalidInput(_("“%(move)s”须填写理由") % {"move": move.label}, field="reason")
        with transaction.atomic():
            self._move_row(row, move, revision=revision, at=at, fields=fields)
            row.refresh_from_db()
            _remember([row], move, actor=actor, at=at, reason=reason)
        return row

    def apply_all(
        self,
        rows: QuerySet[GovernedT],
        name: str,
        *,
        actor: Any,
        at: datetime,
        reason: str = "",
        **fields: Any,
    ) -> list[GovernedT]:
        """Move those of the rows from whose status the move leads, set-based; return them.

        Rows in other statuses are left as they are: the caller says how many did not move.

        Raises:
            InvalidInput: the move needs a reason and none was given.
        """
        move = self.move(name)
        if move.reason and not reason.strip():
            raise InvalidInput(_("“%(move)s”须填写理由") % {"move": move.label}, field="reason")
        manager: Any = rows.model._base_manager
        with transaction.atomic():
            locked = manager.filter(pk__in=rows.order_by().values("pk"), status__in=move.sources)
            keys = list(locked.select_for_update().order_by("pk").values_list("pk", flat=True))
            chosen = manager.filter(pk__in=keys)
            chosen.update(status=move.target, revision=F("revision") + 1, updated_at=at, **fields)
            moved: list[GovernedT] = list(chosen.order_by("pk"))
            _remember(moved, move, actor=actor, at=at, reason=reason)
        return moved

    def move(self, name: str) -> Move:
        """Return the move of that name; an unknown one is a programming mistake."""
        return self._by_name[name]

    def moves_from(self, status: str) -> list[Move]:
        return [move for move in self.moves if status in move.sources]

    def is_open(self, status: str) -> bool:
        """Say whether anything may still happen to a row of this status."""
        return bool(self.moves_from(status))

    def diagram(self) -> str:
        """Return the lifecycle as a Mermaid state diagram, for the generated documentation."""
        labels = dict(self.states.choices)
        lines = ["stateDiagram-v2"]
        lines += [f"    {value} : {label}" for value, label in labels.items()]
        lines += [
            f"    {source} --> {move.target} : {move.label}"
            for move in self.moves
            for source in move.sources
        ]
        return "\n".join(lines)

    def _move_row(
        self,
        row: Governed,
        move: Move,
        *,
        revision: int | None,
        at: datetime,
        fields: dict[str, Any],
    ) -> None:
        if row._meta.label_lower != self.model.lower():
            raise TypeError(f"{row._meta.label} does not live by the table of {self.model}")
        # Every governed model declares its own `status`; the abstract base cannot.
        manager: Any = type(row)._base_manager
        candidates = manager.filter(pk=row.pk, status__in=move.sources)
        if revision is not None:
            candidates = candidates.filter(revision=revision)
        changed = candidates.update(
            status=move.target, revision=F("revision") + 1, updated_at=at, **fields
        )
        if changed:
            return
        current = manager.filter(pk=row.pk).values_list("status", "revision")
        status, seen = current.first() or ("", None)
        if revision is not None and seen != revision:
            raise StaleRevision
        raise IllegalMove(
            _("当前状态为“%(status)s”，不能“%(move)s”")
            % {"status": dict(self.states.choices).get(status, status), "move": move.label},
            move=move.name,
            state=status,
        )

    def _check(self) -> None:
        if len(self._by_name) != len(self.moves):
            raise ValueError(f"{self.model}: two moves of one name")
        known = set(self.states.values)
        for move in self.moves:
            unknown = {*move.sources, move.target} - known
            if unknown:
                raise ValueError(f"{self.model}.{move.name}: unknown status {unknown}")


registry: dict[str, Lifecycle] = {}

CREDITS: Final = ("_history_user", "_history_date", "_change_reason")


def _remember(
    rows: Sequence[Governed], move: Move, *, actor: Any, at: datetime, reason: str
) -> None:
    """Write the historical rows ourselves: simple-history hears `save()` only.

    What an earlier save of the same object was credited to is forgotten first: simple-history
    would put that person, moment and reason before those of the move.
    """
    history = getattr(type(rows[0]), "history", None) if rows else None
    if history is None:
        return
    for row in rows:
        for name in CREDITS:
            row.__dict__.pop(name, None)
    history.bulk_history_create(
        rows,
        update=True,
        default_user=actor if getattr(actor, "pk", None) else None,
        default_change_reason=str(move.label) + (f"：{reason}" if reason else ""),
        default_date=at,
    )
