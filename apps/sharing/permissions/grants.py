"""Grants, their use and files, the yearly look, notices of idleness, reports of use."""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.sharing.models import Mode
from apps.sharing.permissions.parties import (
    EVERY,
    NOBODY,
    is_overseer,
    not_its_own,
)


@access.scope("sharing.Grant", "view")
def parties_of_grant(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("audit_admin"):
        return EVERY
    return Q(consumer=actor.department_id) | Q(provider=actor.department_id)


@access.scope("sharing.DailyUse", "view")
def parties_of_used_grant(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("audit_admin"):
        return EVERY
    return Q(grant__consumer=actor.department_id) | Q(grant__provider=actor.department_id)


@access.scope("sharing.Grant", "export")
def system_of_grant_or_people_of_files(actor: User) -> Q:
    """People fetch files only where the grant is in the way of files; its system always may."""
    return _takers(actor, "")


@access.scope("sharing.Grant", "try_out")
def consumer_handlers_of_grant(actor: User) -> Q:
    """The console shows what the department's own system reads, to those who work with it."""
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return Q(consumer=actor.department_id)


@access.scope("sharing.Export", "view")
def parties_of_exported_grant(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("audit_admin"):
        return EVERY
    return Q(grant__consumer=actor.department_id) | Q(grant__provider=actor.department_id)


@access.scope("sharing.Export", "download", "discard")
def takers_of_export(actor: User) -> Q:
    return _takers(actor, "grant__")


@access.scope("sharing.Export", "begin", "finish", "fail", "stop", "expire", "change", "delete")
def no_export_by_hand(actor: User) -> Q:
    """What the platform does by itself."""
    return NOBODY


@access.ability("sharing.Export", "create")
def nobody_creates_exports_alone(actor: User) -> bool:
    """An export is asked for under a grant: `export` on the grant says who may."""
    return False


def _takers(actor: User, of: str) -> Q:
    if actor.kind == User.Kind.SERVICE:
        return Q(**{f"{of}system__service_user": actor.pk}) & ~Q(**{f"{of}mode": Mode.VERIFY})
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return Q(**{f"{of}consumer": actor.department_id, f"{of}mode": Mode.FILE})


@access.scope("sharing.Grant", "suspend", "narrow")
def provider_head_or_authority(actor: User) -> Q:
    if is_overseer(actor):
        return EVERY
    if not actor.holds("department_approver"):
        return NOBODY
    return Q(provider=actor.department_id)


@access.scope("sharing.Grant", "ask_change")
def consumer_editor_of_grant(actor: User) -> Q:
    """Who drafts the consumer's requests asks for a change of what it has, too."""
    if not actor.holds("department_editor"):
        return NOBODY
    return Q(consumer=actor.department_id)


@access.scope("sharing.Grant", "resume")
def whoever_suspended_or_authority(actor: User) -> Q:
    """A provider cannot lift what the authority ordered, nor the authority for itself."""
    if is_overseer(actor):
        return not_its_own(actor)
    return provider_head_or_authority(actor) & Q(suspended_by_authority=False)


@access.scope("sharing.Grant", "end")
def head_of_either_side_or_authority(actor: User) -> Q:
    if is_overseer(actor):
        return EVERY
    if not actor.holds("department_approver"):
        return NOBODY
    return Q(provider=actor.department_id) | Q(consumer=actor.department_id)


@access.scope("sharing.Grant", "deliver", "expire", "change", "delete")
def no_grant_by_hand(actor: User) -> Q:
    return NOBODY


@access.scope("sharing.IdleNotice", "view")
@access.scope("sharing.Recertification", "view")
@access.scope("sharing.UsageReport", "view")
def parties_of_its_grant(actor: User) -> Q:
    return parties_of_used_grant(actor)


@access.scope("sharing.IdleNotice", "ask_back")
@access.scope("sharing.Recertification", "state_need")
@access.scope("sharing.UsageReport", "file")
def consumer_handlers_of_its_grant(actor: User) -> Q:
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return Q(grant__consumer=actor.department_id)


@access.scope("sharing.Recertification", "decide")
def provider_head_or_authority_when_late(actor: User) -> Q:
    """The authority decides only what the provider let lie."""
    if is_overseer(actor):
        return Q(escalated_at__isnull=False) & not_its_own(actor, "grant__")
    if not actor.holds("department_approver"):
        return NOBODY
    return Q(grant__provider=actor.department_id)


@access.ability("sharing.Grant", "create")
def nobody_creates_grants(actor: User) -> bool:
    """A grant comes from a decision only."""
    return False
