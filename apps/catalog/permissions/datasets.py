"""Who may do what with catalogue entries.

    action               who                                              rows
    view                 every member of a department                     published, without data
                         who uses it, or was delegated a right            the ones concerned
                         every member                                     all of the own department
                         authority's officers and leaders, audit admin    all
    administer           every member                                     own department's
                         who was delegated manage_dataset                 the delegated ones
                         authority's officers and leaders, audit admin    all
    create               department editor                                (own department)
    revise, submit,      department editor                                own department's
      record_assessment, who was delegated manage_dataset                 the delegated ones
      begin_change
    change               the same                                         … while draft or returned
    delete_draft         department editor                                own, while draft
    approve              department approver (sharing office's head)      own department's
    send_back            department approver                              own, awaiting the head
                         authority officer                                submitted ones
    publish              authority officer                                all
    request_withdrawal   department approver                              own department's
    decline_withdrawal,  authority officer                                all
      withdraw
    delegate_manage,     department approver                              own department's
      delegate_review,
      end_delegation
    take_over            the platform's own user                          (an older catalogue's)
    Classification view  every member                                     all
    … create, change     authority officer                                all

Only active members of a department are asked at all; citizens and people without one see nothing.
Rights on single entries are django-guardian's and are read here and nowhere else.

Source: 《政务数据共享条例》第十一条、第十三条、第十七条
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.accounts.queries import PLATFORM
from apps.catalog.lifecycle import EDITABLE
from apps.catalog.models import DatasetGroupPermission, DatasetUserPermission
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.ledger import phrases

IN_FORCE = Q(status__in=["published", "withdrawal_requested"])

phrases.register(
    {
        "catalog.create_dataset": _("新建了目录"),
        "catalog.revise_dataset": _("修改了目录"),
        "catalog.delete_draft": _("删除了草稿"),
        "catalog.record_assessment": _("登记了评估结论"),
        "catalog.delegate_manage": _("委托管理目录"),
        "catalog.delegate_review": _("委托审核共享申请"),
        "catalog.end_delegation": _("收回委托"),
        "catalog.take_over": _("将既有目录转入平台"),
        "catalog.save_classification": _("保存了资源分类"),
    }
)


def delegated(actor: User, *rights: str) -> Q:
    """The entries on which the person, or his department's group, was given one of the rights."""
    groups = Department.objects.filter(pk=actor.department_id).values("group")
    by_group = DatasetGroupPermission.objects.filter(
        group__in=groups, permission__codename__in=rights
    )
    by_person = DatasetUserPermission.objects.filter(user=actor, permission__codename__in=rights)
    return Q(pk__in=by_group.values("content_object")) | Q(
        pk__in=by_person.values("content_object")
    )


@access.scope("catalog.SearchEntry", "view")  # its fields are called alike: one rule for both
@access.scope("catalog.Dataset", "view")
def reader(actor: User) -> Q:
    if actor.holds("authority_officer", "authority_leader", "audit_admin"):
        return EVERYBODY
    own = Q(department=actor.department_id)
    # Who uses the data reads on about it after the entry is withdrawn.
    rights = ("manage_dataset", "review_requests", "use_dataset")
    return IN_FORCE | own | delegated(actor, *rights)


@access.scope("catalog.Dataset", "administer")
def keeper(actor: User) -> Q:
    """What the administration lists: not the whole catalogue, which has pages of its own."""
    if actor.holds("authority_officer", "authority_leader", "audit_admin"):
        return EVERYBODY
    return Q(department=actor.department_id) | delegated(actor, "manage_dataset")


@access.ability("catalog.Dataset", "create")
def editor_of_some_department(actor: User) -> bool:
    return actor.holds("department_editor")


@access.scope("catalog.Dataset", "revise", "submit", "record_assessment", "begin_change")
def editor_of_dataset(actor: User) -> Q:
    entrusted = delegated(actor, "manage_dataset")
    if actor.holds("department_editor"):
        return Q(department=actor.department_id) | entrusted
    return entrusted


@access.scope("catalog.Dataset", "change")
def editor_while_editable(actor: User) -> Q:
    """What the forms ask; the operation itself asks `revise` and names the status."""
    return editor_of_dataset(actor) & Q(status__in=EDITABLE)


@access.scope("catalog.Dataset", "delete_draft")
def editor_of_draft(actor: User) -> Q:
    if not actor.holds("department_editor"):
        return NOBODY
    return Q(department=actor.department_id, status="draft")


@access.scope(
    "catalog.Dataset",
    "approve",
    "request_withdrawal",
    "delegate_manage",
    "delegate_review",
    "end_delegation",
)
def head_of_provider(actor: User) -> Q:
    return Q(department=actor.department_id) if actor.holds("department_approver") else NOBODY


@access.scope("catalog.Dataset", "publish", "withdraw", "decline_withdrawal")
def authority_officer(actor: User) -> Q:
    return EVERYBODY if actor.holds("authority_officer") else NOBODY


@access.scope("catalog.Dataset", "send_back")
def reviewer_in_turn(actor: User) -> Q:
    """Own head while it lies with him, the authority while it lies there."""
    rows = Q(pk__in=[])
    if actor.holds("department_approver"):
        rows |= Q(department=actor.department_id, status="awaiting_head")
    if actor.holds("authority_officer"):
        rows |= Q(status="submitted")
    return rows


@access.ability("catalog.Dataset", "take_over", audience="internal")
def platform_itself(actor: User) -> bool:
    return actor.kind == User.Kind.SERVICE and actor.username == PLATFORM


@access.scope("catalog.Classification", "view")
def every_member(actor: User) -> Q:
    return EVERYBODY


@access.scope("catalog.Classification", "change")
def keeper_of_classification(actor: User) -> Q:
    return EVERYBODY if actor.holds("authority_officer") else NOBODY


@access.ability("catalog.Classification", "create")
def some_keeper_of_classification(actor: User) -> bool:
    return actor.holds("authority_officer")
