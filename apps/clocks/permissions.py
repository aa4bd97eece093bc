"""Who may see clocks and change their rules.

Source: house rule: clocks are shown to every member, rules and calendar belong to the authority
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.ledger import phrases

phrases.register(
    {
        "clocks.set_day": _("调整工作日历"),
        "clocks.clear_day": _("取消工作日历调整"),
        "clocks.publish_year": _("录入放假安排"),
        "clocks.change_policy": _("修改时限规则"),
    }
)

RULE_KEEPERS = ("authority_officer", "authority_leader")


@access.scope("clocks.Clock", "view")
@access.scope("clocks.ClockPolicy", "view")
@access.scope("clocks.CalendarDay", "view")
@access.scope("clocks.CalendarYear", "view")
def every_member(actor: User) -> Q:
    return access.EVERYBODY


@access.scope("clocks.ClockPolicy", "change")
@access.scope("clocks.CalendarDay", "change", "delete")
def keeper_of_rules(actor: User) -> Q:
    return access.EVERYBODY if actor.holds(*RULE_KEEPERS) else access.NOBODY


@access.ability("clocks.ClockPolicy", "create")
@access.ability("clocks.CalendarDay", "create")
@access.ability("clocks.CalendarYear", "create")
def some_keeper_of_rules(actor: User) -> bool:
    return actor.holds(*RULE_KEEPERS)
