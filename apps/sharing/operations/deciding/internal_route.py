"""The optional way inside a department before its head acts; the legal clock runs all the time.

Source: house rule (issue 2)
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.core import access
from apps.core.access import Standing
from apps.core.errors import Conflict, IllegalMove, InvalidInput, required_text
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import RouteStep, SharingRequest
from apps.sharing.operations import owed
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding.opinions import drop_sealed
from apps.sharing.queries.offers import ANSWER_OWED

LONGEST_ROUTE: Final = 3
CONSUMER_STATUSES: Final = ("draft", "head_returned", "awaiting_head")
PROVIDER_STATUSES: Final = (
    "form_check",
    "reviewing",
    "awaiting_second_review",
    "awaiting_signature",
)


@attempt("sharing.route", "request")
def route(
    *, request: SharingRequest, actor: User, at: datetime, steps: Sequence[tuple[str, User]]
) -> list[RouteStep]:
    """Lay down through whose hands the request goes inside the actor's department.

    steps: (name of the step, person), at most three; replaces what has not been handled yet.

    Raises:
        InvalidInput: more than three steps, or a person of another department.
        IllegalMove: the request does not lie with this department.
    """
    standing = access.require(actor, "route", request, at=at)
    side, department = _side_of(request, standing)
    allowed = CONSUMER_STATUSES if side == "consumer" else PROVIDER_STATUSES
    if request.status not in allowed:
        raise IllegalMove(_("申请不在本部门办理，不能安排内部流转"))
    if not 1 <= len(steps) <= LONGEST_ROUTE:
        raise InvalidInput(_("内部流转为一至三个环节"), field="steps")
    for _title, person in steps:
        _refuse_stranger(person, department)
    drop_open(request, side, actor=actor, at=at)
    made = RouteStep.objects.bulk_create(
        RouteStep(
            request=request,
            side=side,
            department=department,
            position=position,
            title=required_text(title, _("填写环节名称"), field="steps"),
            assignee=person,
        )
        for position, (title, person) in enumerate(steps, start=1)
    )
    if request.status not in ("draft", "head_returned"):
        open_first(request, side, at=at)
    ledger.record(
        standing,
        "sharing.route",
        request,
        at=at,
        details={"steps": [f"{title}：{person}" for title, person in steps]},
    )
    return made


@attempt("sharing.pass_step", "step")
def pass_step(*, step: RouteStep, actor: User, at: datetime, opinion: str = "") -> RouteStep:
    """Give a consenting opinion; the next step opens when everybody at this one has spoken."""
    standing = _hold_and_require(actor, "handle_step", step, at)
    _finish(step, "passed", actor=actor, at=at, opinion=opinion)
    others_left = queries.current_steps(step.request, step.side).exists()
    if not others_left and not open_first(step.request, step.side, at=at):
        owed.hand_on(step.request, by=standing, at=at)
    _record(standing, "sharing.pass_step", step, at, opinion)
    return step


@attempt("sharing.forward", "step")
def forward(
    *, step: RouteStep, to: User, actor: User, at: datetime, opinion: str = ""
) -> RouteStep:
    """Hand a step over to a colleague (转办)."""
    standing = _hold_and_require(actor, "handle_step", step, at)
    _refuse_stranger(to, step.department)
    if to.pk == step.assignee_id:
        raise InvalidInput(_("不能转办给本人"), field="to")
    _finish(step, "forwarded", actor=actor, at=at, opinion=opinion)
    successor = _copy(step, to, at=at)
    _record(standing, "sharing.forward", step, at, opinion, to=str(to))
    return successor


@attempt("sharing.co_sign", "step")
def co_sign(
    *, step: RouteStep, people: Sequence[User], actor: User, at: datetime, opinion: str = ""
) -> list[RouteStep]:
    """Ask colleagues for their opinion at the same step (会签); it passes when all have spoken."""
    standing = _hold_and_require(actor, "handle_step", step, at)
    asked = set(queries.current_steps(step.request, step.side).values_list("assignee", flat=True))
    wanted = [person for person in dict.fromkeys(people) if person.pk not in asked]
    if not wanted:
        raise InvalidInput(_("选择会签人员"), field="people")
    for person in wanted:
        _refuse_stranger(person, step.department)
    made = [_copy(step, person, at=at, kind="co_sign") for person in wanted]
    _record(
        standing, "sharing.co_sign", step, at, opinion, people=[str(person) for person in wanted]
    )
    return made


@attempt("sharing.step_back", "step")
def step_back(*, step: RouteStep, actor: User, at: datetime, opinion: str) -> SharingRequest:
    """Send the request back to the step before; from the first one to its author (退回上一步)."""
    standing = _hold_and_require(actor, "handle_step", step, at)
    opinion = required_text(opinion, _("填写退回的理由"), field="opinion")
    request = step.request
    _finish(step, "stepped_back", actor=actor, at=at, opinion=opinion)
    position = step.position
    for waiting in queries.current_steps(request, step.side).filter(position=position):
        _finish(waiting, "recalled", actor=actor, at=at, opinion="")
    if position > 1:
        previous = _last_at(request, step.side, position - 1)
        _copy(step, step.assignee, at=None)
        _copy(previous, previous.assignee, at=at)
    else:
        _back_to_author(request, step.side, actor=actor, at=at, reason=opinion, by=standing)
    _record(standing, "sharing.step_back", step, at, opinion)
    return request


@attempt("sharing.recall_step", "step")
def recall_step(*, step: RouteStep, actor: User, at: datetime) -> RouteStep:
    """Take back an opinion as long as nobody after it has acted (撤回).

    Raises:
        Conflict: the next step, or the head, has acted already.
    """
    standing = _hold_and_require(actor, "recall_step", step, at)
    request = step.request
    statuses = ("awaiting_head",) if step.side == "consumer" else PROVIDER_STATUSES
    later = request.route_steps.filter(side=step.side, done_at__gte=step.done_at).exclude(
        pk=step.pk
    )
    if step.outcome != "passed" or request.status not in statuses or later.exists():
        raise Conflict(_("后续环节已经办理，不能撤回"), code="already_handled")
    for current in queries.current_steps(request, step.side).exclude(position=step.position):
        current.opened_at = None
        current.save(update_fields=["opened_at"])
        ledger.close_todos(current, at=at, by=actor)
    RouteStep.objects.filter(pk=step.pk).update(outcome="recalled")
    step.refresh_from_db()
    again = _copy(step, step.assignee, at=at)
    if request.status != "awaiting_second_review":  # which does not wait for the route
        ledger.close_todos(request, at=at, by=actor, but=ANSWER_OWED)
    _record(standing, "sharing.recall_step", step, at, "")
    return again


def open_first(request: SharingRequest, side: str, *, at: datetime) -> bool:
    """Put the next waiting step on its people's desks; say whether there was one."""
    waiting = queries.open_steps(request, side)
    position = waiting.order_by("position").values_list("position", flat=True).first()
    if position is None:
        return False
    for step in waiting.filter(position=position):
        step.opened_at = at
        step.save(update_fields=["opened_at"])
        _ask(step, at)
    return True


def drop_open(request: SharingRequest, side: str, *, actor: User, at: datetime) -> None:
    """Take what is not handled yet off the desks."""
    for step in queries.current_steps(request, side):
        _finish(step, "recalled", actor=actor, at=at, opinion="")
    queries.open_steps(request, side).delete()


def refuse_unfinished(request: SharingRequest, side: str) -> None:
    """Keep the head from acting before everybody on the route has spoken."""
    step = queries.open_steps(request, side).select_related("assignee").first()
    if step is not None:
        raise Conflict(
            _("内部流转尚未办结：%(title)s（%(person)s）")
            % {"title": step.title, "person": step.assignee},
            code="route_unfinished",
        )


def _hold_and_require(actor: User, action: str, step: RouteStep, at: datetime) -> Standing:
    """Hold the request, see it and the step as they are now, and ask who may.

    Of two who speak at the same step the second sees that the first has: one of them is the last.
    """
    step.request = SharingRequest.objects.select_for_update(of=("self",)).get(pk=step.request_id)
    step.refresh_from_db(fields=["outcome", "done_at", "opened_at", "assignee"])
    return access.require(actor, action, step, at=at)


def _side_of(request: SharingRequest, standing: Standing) -> tuple[str, Department]:
    department: Department = (standing.principal or standing.actor).department
    if department.pk == request.consumer_id:
        return "consumer", department
    return "provider", department


def _refuse_stranger(person: User, department: Department) -> None:
    if person.department_id != department.pk or not person.is_active:
        raise InvalidInput(
            _("%(person)s 不是本部门在岗人员") % {"person": person}, code="not_a_colleague"
        )


def _finish(step: RouteStep, outcome: str, *, actor: User, at: datetime, opinion: str) -> None:
    """Close a step; of two who act on it at once exactly one wins."""
    changed = RouteStep.objects.filter(pk=step.pk, done_at=None, opened_at__isnull=False).update(
        outcome=outcome, done_at=at, done_by=actor, opinion=opinion.strip()
    )
    if not changed:
        raise IllegalMove(_("该环节已办理"))
    step.refresh_from_db()
    ledger.close_todos(step, at=at, by=actor)


def _copy(
    step: RouteStep, person: User, *, at: datetime | None, kind: str | None = None
) -> RouteStep:
    made = RouteStep.objects.create(
        request=step.request,
        side=step.side,
        department=step.department,
        position=step.position,
        kind=kind or step.kind,
        title=step.title,
        assignee=person,
        opened_at=at,
    )
    if at is not None:
        _ask(made, at)
    return made


def _ask(step: RouteStep, at: datetime) -> None:
    ledger.open_todo(
        step,
        "sharing.step",
        title=_("%(title)s：共享申请 %(number)s")
        % {"title": step.title, "number": step.request.number},
        url=owed.page_of(step.request),
        department=step.department,
        role="",
        at=at,
        assignee=step.assignee,
    )


def _last_at(request: SharingRequest, side: str, position: int) -> RouteStep:
    steps = request.route_steps.filter(side=side, position=position, kind="step")
    latest = steps.aggregate(latest=Max("pk"))["latest"]
    return steps.get(pk=latest)


def _back_to_author(
    request: SharingRequest,
    side: str,
    *,
    actor: User,
    at: datetime,
    reason: str,
    by: Standing,
) -> None:
    drop_open(request, side, actor=actor, at=at)
    if side == "consumer":
        REQUEST.apply(request, "recall", actor=actor, at=at, reason=reason)
    elif request.status in REQUEST.move("send_back_proposal").sources:
        REQUEST.apply(request, "send_back_proposal", actor=actor, at=at, reason=reason)
        drop_sealed(request, at)
    owed.hand_on(request, by=by, at=at)


def _record(
    standing: Standing,
    verb: str,
    step: RouteStep,
    at: datetime,
    opinion: str,
    **details: str | list[str],
) -> None:
    if opinion.strip():
        details["reason"] = opinion.strip()
    ledger.record(standing, verb, step.request, at=at, details={"step": step.title, **details})
