"""Who may bring entries in by spreadsheet.

    action                  who                                         rows
    create                  department editor, authority officer,       (own department; the
                            systems of a department                      authority: every one)
    view                    editor and approver of the department,      own department's
                            its systems
                            authority officers                          those of the authority
                            authority's leaders, audit admin            all
    decide, adopt, recheck, department editor                           own department's
      discard, submit_all   authority officer                           those of the authority
                            (completing the drafts goes with submit_all, and needs `revise` of each)

A system hands in and looks; that something is taken over is decided by a person.

Source: house rule (design §3.9)
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.ledger import phrases

phrases.register(
    {
        "catalog.receive_import": _("上传了编目表格"),
        "catalog.decide_import": _("决定了表格中的冲突"),
        "catalog.change_census": _("更新了普查数字"),
        "catalog.import_datasets": _("由表格新建了目录"),
        "catalog.import_changes": _("由表格形成了目录变更"),
        "catalog.complete_drafts": _("一并补齐了表格的草稿"),
    }
)


def _acts_for_authority(actor: User) -> bool:
    return actor.holds("authority_officer")


def _own(actor: User) -> Q:
    return Q(department=actor.department_id)


@access.ability("catalog.CatalogImport", "create")
def who_hands_in(actor: User) -> bool:
    is_system = actor.kind == User.Kind.SERVICE
    return is_system or actor.holds("department_editor", "authority_officer")


@access.scope("catalog.CatalogImport", "view")
def reader_of_import(actor: User) -> Q:
    if actor.holds("authority_leader", "audit_admin"):
        return EVERYBODY
    rows = Q(pk__in=[])
    if _acts_for_authority(actor):
        rows |= Q(department=None)
    if actor.kind == User.Kind.SERVICE or actor.holds("department_editor", "department_approver"):
        rows |= _own(actor)
    return rows


@access.scope("catalog.CatalogImport", "decide", "adopt", "recheck", "discard", "submit_all")
def decider_of_import(actor: User) -> Q:
    rows = NOBODY
    if _acts_for_authority(actor):
        rows |= Q(department=None)
    if actor.holds("department_editor"):
        rows |= _own(actor)
    return rows
