"""Who may see and set rules, ask for runs, and see what they found.

    action                     who                                           rows
    Dataset view_quality,      editor, approver, systems of the department   own department's
      QualityRule view,        authority's officers and leaders, audit admin all
      QualityRun view,
      RuleResult view,
      Score view
    ColumnProfile view         editor, approver, systems of the department   own department's
    Dataset add_quality_rule,  editor of the department                      own department's
      QualityRule change,      authority officer                             all
        retire, restore        … (the contract's rules are changed with the entry alone)
    Dataset check_quality      editor of the department                      own department's
                               authority officer                             all
    DimensionWeights view      every member                                  all
    … set                      authority officer                             (as such)

Profiles show values of rows, so they are the provider's own, like rejections. Consumers see scores
through the catalogue's entry, not here.

Source: 《政务数据共享条例》第十三条、第二十六条; house rule (design §3.4)
"""

from typing import Final

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.ledger import phrases

PROVIDERS: Final = ("department_editor", "department_approver")
OVERSEERS: Final = ("authority_officer", "authority_leader", "audit_admin")

phrases.register(
    {
        "quality.add_rule": _("添加了质量规则"),
        "quality.change_rule": _("修改了质量规则"),
        "quality.retire_rule": _("停用了质量规则"),
        "quality.restore_rule": _("重新启用了质量规则"),
        "quality.ask_run": _("发起了质量检查"),
        "quality.set_weights": _("设定了维度权重"),
    }
)


def provides(actor: User) -> bool:
    """Say whether he acts for his department's data: its staff by role, or its own systems."""
    if actor.department_id is None:
        return False
    return actor.kind == User.Kind.SERVICE or actor.holds(*PROVIDERS)


def of_department(actor: User, field: str) -> Q:
    """The overseers' every row, a provider's own department's, nobody else's."""
    if actor.holds(*OVERSEERS):
        return EVERYBODY
    return own_department(actor, field)


def own_department(actor: User, field: str) -> Q:
    return Q(**{field: actor.department_id}) if provides(actor) else NOBODY


def _editing(actor: User, field: str) -> Q:
    """The authority's officers every row, an editor his department's."""
    if actor.holds("authority_officer"):
        return EVERYBODY
    return Q(**{field: actor.department_id}) if actor.holds("department_editor") else NOBODY


@access.scope("catalog.Dataset", "view_quality")
def dataset_measured(actor: User) -> Q:
    return of_department(actor, "department")


@access.scope("catalog.Dataset", "add_quality_rule", "check_quality")
def dataset_whose_rules_he_sets(actor: User) -> Q:
    return _editing(actor, "department")


@access.scope("quality.QualityRule", "view")
def rule_of_dataset_measured(actor: User) -> Q:
    return of_department(actor, "dataset__department")


@access.scope("quality.QualityRule", "change", "retire", "restore")
def added_rule_he_sets(actor: User) -> Q:
    allowed = _editing(actor, "dataset__department")
    return Q(origin="added") & allowed


@access.scope("quality.QualityRun", "view")
def run_of_dataset_measured(actor: User) -> Q:
    return of_department(actor, "dataset__department")


@access.scope("quality.RuleResult", "view")
def result_of_dataset_measured(actor: User) -> Q:
    return of_department(actor, "run__dataset__department")


@access.scope("quality.Score", "view")
def score_of_dataset_measured(actor: User) -> Q:
    return of_department(actor, "dataset__department")


@access.scope("quality.ColumnProfile", "view")
def profile_of_own_department(actor: User) -> Q:
    return own_department(actor, "run__dataset__department")


@access.scope("quality.DimensionWeights", "view")
def everybody_weighs_alike(actor: User) -> Q:
    return EVERYBODY


@access.ability("quality.DimensionWeights", "set")
def who_weighs(actor: User) -> bool:
    return actor.holds("authority_officer")
