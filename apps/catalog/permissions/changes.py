"""Who may do what with changes of published entries, and with their review.

    action             who                                              rows
    view               every member of the provider; who was delegated  own department's entries'
                         manage_dataset
                       authority's officers and leaders, audit admin    all
    revise_change,     department editor                                own department's entries'
      submit_change    who was delegated manage_dataset                 the delegated entries'
    change             the same                                         … while draft or returned
    abandon_change     the same, and the department's approver          own department's entries'
    approve_change     department approver (sharing office's head)      own department's entries'
    send_back_change   department approver                              own, awaiting the head
                       authority officer                                submitted ones
    publish_change,    authority officer                                all
      extend_change

    ReviewRound
    view               who may view the entry from inside: as `view` above
    remark             own head while it lies with him, authority officer while it lies there
    settle             who may revise the entry, while it is returned

Source: 《政务数据共享条例》第十一条、第十七条
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.lifecycle import EDITABLE_CHANGE
from apps.catalog.models import Dataset
from apps.catalog.permissions.datasets import delegated, editor_of_dataset
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.ledger import phrases

OVERSEERS = ("authority_officer", "authority_leader", "audit_admin")

phrases.register(
    {
        "catalog.begin_change": _("开始修改已发布的目录"),
        "catalog.revise_change": _("修改了目录变更"),
        "catalog.extend_change": _("同意目录更新延期"),
        "catalog.write_remark": _("提出了审核意见"),
        "catalog.erase_remark": _("删去了审核意见"),
        "catalog.settle_remark": _("答复了审核意见"),
    }
)


@access.scope("catalog.DatasetChange", "view")
def reader_of_change(actor: User) -> Q:
    if actor.holds(*OVERSEERS):
        return EVERYBODY
    rows = Dataset.objects.filter(delegated(actor, "manage_dataset"))
    return Q(dataset__department=actor.department_id) | Q(dataset__in=rows)


@access.scope("catalog.DatasetChange", "revise_change", "submit_change")
def editor_of_change(actor: User) -> Q:
    return Q(dataset__in=Dataset.objects.filter(editor_of_dataset(actor)))


@access.scope("catalog.DatasetChange", "change")
def editor_while_editable(actor: User) -> Q:
    """What the forms ask; the operation itself asks `revise_change` and names the status."""
    return editor_of_change(actor) & Q(status__in=EDITABLE_CHANGE)


@access.scope("catalog.DatasetChange", "approve_change")
def head_of_provider(actor: User) -> Q:
    if actor.holds("department_approver"):
        return Q(dataset__department=actor.department_id)
    return NOBODY


@access.scope("catalog.DatasetChange", "abandon_change")
def editor_or_head(actor: User) -> Q:
    return editor_of_change(actor) | head_of_provider(actor)


@access.scope("catalog.DatasetChange", "publish_change", "extend_change")
def authority_officer(actor: User) -> Q:
    return EVERYBODY if actor.holds("authority_officer") else NOBODY


@access.scope("catalog.DatasetChange", "send_back_change")
def reviewer_in_turn(actor: User) -> Q:
    """Own head while it lies with him, the authority while it lies there."""
    rows = NOBODY
    if actor.holds("department_approver"):
        rows |= Q(dataset__department=actor.department_id, status="awaiting_head")
    if actor.holds("authority_officer"):
        rows |= Q(status="submitted")
    return rows


@access.scope("catalog.ReviewRound", "view")
def reader_of_round(actor: User) -> Q:
    return reader_of_change(actor)


@access.scope("catalog.ReviewRound", "remark")
def remarking_reviewer(actor: User) -> Q:
    rows = NOBODY
    if actor.holds("department_approver"):
        rows |= Q(dataset__department=actor.department_id) & _lying("awaiting_head")
    if actor.holds("authority_officer"):
        rows |= _lying("submitted")
    return Q(outcome="") & rows


@access.scope("catalog.ReviewRound", "settle")
def editor_of_returned(actor: User) -> Q:
    rows = Dataset.objects.filter(editor_of_dataset(actor))
    return Q(dataset__in=rows, outcome="returned") & _lying("returned")


def _lying(status: str) -> Q:
    """Rounds of a matter that stands there now: the change's, or the entry's first publication."""
    return Q(change__status=status) | Q(change=None, dataset__status=status)
