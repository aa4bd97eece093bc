"""Who may see and keep data elements and code lists: everybody sees, the authority keeps.

Source: 《政务数据共享条例》第十二条（标准由主管部门会同制定）; the split is a house rule
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.ledger import phrases

phrases.register(
    {
        "standards.save_data_element": _("保存了数据元"),
        "standards.save_code_list": _("保存了代码集"),
    }
)


@access.scope("standards.DataElement", "view")
@access.scope("standards.CodeList", "view")
@access.scope("standards.CodeListEntry", "view")
def every_member(actor: User) -> Q:
    return EVERYBODY


@access.scope("standards.DataElement", "change")
@access.scope("standards.CodeList", "change")
def keeper_of_standards(actor: User) -> Q:
    return EVERYBODY if actor.holds("authority_officer") else NOBODY


@access.ability("standards.DataElement", "create")
@access.ability("standards.CodeList", "create")
def some_keeper_of_standards(actor: User) -> bool:
    return actor.holds("authority_officer")
