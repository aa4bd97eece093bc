"""Who may do what about sources and seeming duplicates.

    action                        who                                       rows
    SourceDesignation view        every member of a department              all
    SourceDesignation designate   authority officer                         (new ones)
    SourceDesignation end         authority officer                         all
    Duplicate view                authority's officers, leaders, audit      all
                                  every member                              with an own entry, while
                                                                            the other is in force
    Duplicate comment             authority officer                         all
                                  department editor and approver            as view
    Duplicate name_source,        authority officer                         all
      tell_apart, reconsider
    Duplicate scan                authority officer, the platform itself    (the whole catalogue)

Source: 《政务数据共享条例》第十九条
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.queries import PLATFORM
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.ledger import phrases

phrases.register(
    {
        "catalog.designate_source": _("确定了数源部门"),
        "catalog.end_designation": _("终止了数源认定"),
        "catalog.comment_duplicate": _("就疑似重复采集提出意见"),
        "catalog.scan_duplicates": _("查找疑似重复采集"),
        "catalog.request_scan": _("要求查找疑似重复采集"),
    }
)

IN_FORCE = ("published", "withdrawal_requested")


@access.scope("catalog.SourceDesignation", "view")
def every_member_sees_sources(actor: User) -> Q:
    return EVERYBODY


@access.scope("catalog.SourceDesignation", "end")
def authority_ends(actor: User) -> Q:
    return EVERYBODY if actor.holds("authority_officer") else NOBODY


@access.ability("catalog.SourceDesignation", "designate")
def authority_designates(actor: User) -> bool:
    return actor.holds("authority_officer")


def _concerned(actor: User) -> Q:
    own = actor.department_id
    return Q(first__department=own, second__status__in=IN_FORCE) | Q(
        second__department=own, first__status__in=IN_FORCE
    )


@access.scope("catalog.Duplicate", "view")
def concerned_with_duplicate(actor: User) -> Q:
    if actor.holds("authority_officer", "authority_leader", "audit_admin"):
        return EVERYBODY
    return _concerned(actor)


@access.scope("catalog.Duplicate", "comment")
def commentator(actor: User) -> Q:
    if actor.holds("authority_officer"):
        return EVERYBODY
    if actor.holds("department_editor", "department_approver"):
        return _concerned(actor)
    return NOBODY


@access.scope("catalog.Duplicate", "name_source", "tell_apart", "reconsider")
def authority_decides(actor: User) -> Q:
    return EVERYBODY if actor.holds("authority_officer") else NOBODY


@access.ability("catalog.Duplicate", "scan", audience="internal")
def officer_or_platform(actor: User) -> bool:
    if actor.kind == User.Kind.SERVICE:
        return actor.username == PLATFORM
    return actor.department_id is not None and actor.holds("authority_officer")
