"""Who keeps searches under a name, and who keeps the synonyms.

    action                    who                                     rows
    SavedFilter view          every member of a department            own ones
                              every member                            those shared with the own
                                                                      department, or with everybody
    SavedFilter save          every member                            (new ones)
    SavedFilter delete        every member                            own ones
    Synonym view              every member                            all
    Synonym create, change,   authority officer                       all
      delete

Source: house rule
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.models import SavedFilter
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.ledger import phrases

phrases.register(
    {
        "catalog.save_filter": _("保存了常用筛选"),
        "catalog.delete_filter": _("删除了常用筛选"),
        "catalog.save_synonym": _("保存了同义词"),
        "catalog.delete_synonym": _("删除了同义词"),
    }
)


@access.scope("catalog.SavedFilter", "view")
def reader_of_filter(actor: User) -> Q:
    shared = SavedFilter.Audience
    return (
        Q(owner=actor)
        | Q(audience=shared.DEPARTMENT, department=actor.department_id)
        | Q(audience=shared.EVERYBODY)
    )


@access.scope("catalog.SavedFilter", "delete")
def owner_of_filter(actor: User) -> Q:
    return Q(owner=actor)


@access.ability("catalog.SavedFilter", "save")
def every_member_saves(actor: User) -> bool:
    return True


@access.scope("catalog.Synonym", "view")
def every_member_reads(actor: User) -> Q:
    return EVERYBODY


@access.scope("catalog.Synonym", "change", "delete")
def keeper_of_synonyms(actor: User) -> Q:
    return EVERYBODY if actor.holds("authority_officer") else NOBODY


@access.ability("catalog.Synonym", "create")
def some_keeper_of_synonyms(actor: User) -> bool:
    return actor.holds("authority_officer")
