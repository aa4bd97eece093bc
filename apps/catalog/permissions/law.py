"""Who may do what with duties in law and service items.

    action     who                       rows
    view       every member              all: the lists are public by law
    import     authority officer         rows of every department
               department editor         rows of the own department

Source: 中办发〔2015〕21号 (权责清单须公布)
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core.access import EVERYBODY
from apps.ledger import phrases

phrases.register(
    {
        "catalog.import_legal_duties": _("导入了权责清单事项"),
        "catalog.import_service_items": _("导入了政务服务事项"),
    }
)


@access.scope("catalog.LegalDuty", "view")
@access.scope("catalog.ServiceItem", "view")
def every_member(_actor: User) -> Q:
    return EVERYBODY


@access.ability("catalog.LegalDuty", "import")
@access.ability("catalog.ServiceItem", "import")
def brings_rows_in(actor: User) -> bool:
    return actor.holds("authority_officer", "department_editor")
