"""Who calls, and under which grant: one statement answers both.

Nothing is remembered between calls: a revoked token, a retired system, a suspended grant is refused
on the very next call. Should that ever be wrong, the database refuses as well.

Source: house rule (design §4)
"""

import hashlib
import ipaddress
import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem, User
from apps.catalog.models import Dataset
from apps.ledger import operations as ledger
from apps.sharing import naming
from apps.sharing.gateway import pool, prepared
from apps.sharing.gateway.refusals import (
    GrantRefused,
    GrantUnavailable,
    NotAuthenticated,
    PlannedStopped,
    ResyncRequired,
    SystemDisabled,
)
from apps.sharing.gateway.trial import samples
from apps.sharing.gateway.trial.samples import Trial
from apps.sharing.models import Credential, Grant, Mode

BEARER = re.compile(r"Bearer ([A-Za-z0-9._~+/=-]{1,300})", re.ASCII | re.IGNORECASE)
VERB = "sharing.read"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
logger = logging.getLogger(__name__)

# Written out, not composed by the ORM: it runs before every page, and the ORM would take longer to
# compose it than PostgreSQL to answer it.
_WHO = """
SELECT t.expires, u.id, u.is_active, s.id, s.status, d.id,
       g.id, g.version, g.status, g.starts_at, g.expires_at, g.purpose,
       g.table_schema || '.' || g.table_name, w.batch_counter, v.id, d.code,
       w.version_id, w.forgotten_batch, w.last_landed_at,
       EXISTS (SELECT FROM quality_correction c
                WHERE c.dataset_id = d.id AND c.is_marked AND c.row_id IS NOT NULL),
       (SELECT max(p.ends_at) FROM sharing_plannedstop p
         WHERE p.status IN ('announced', 'running') AND %s BETWEEN p.starts_at AND p.ends_at
           AND (p.reach = 'platform' OR p.dataset_id = d.id
                OR p.reach = 'department' AND p.provider_id = d.department_id)),
       g.mode, g.allowed_addresses, g.calls_a_day, g.rows_a_day, g.calls_a_minute,
       c.expires_at, c.environment, c.id, c.tried_at IS NULL
  FROM oauth2_provider_accesstoken t
  JOIN oauth2_provider_application a ON a.id = t.application_id
  JOIN sharing_credential c ON c.application_id = a.id AND c.status = 'active'
  JOIN accounts_user u ON u.id = a.user_id
  JOIN accounts_informationsystem s ON s.service_user_id = u.id
  LEFT JOIN catalog_dataset d ON d.code = %s
  LEFT JOIN LATERAL (
       SELECT * FROM sharing_grant
        WHERE sharing_grant.system_id = s.id AND sharing_grant.dataset_id = d.id
        ORDER BY array_position(ARRAY['in_force', 'suspended', 'delivering'], status::text), id DESC
        LIMIT 1) g ON TRUE
  LEFT JOIN warehouse_datatable w ON w.dataset_id = d.id
  LEFT JOIN LATERAL (
       SELECT id FROM catalog_datasetversion
        WHERE catalog_datasetversion.dataset_id = d.id ORDER BY number DESC LIMIT 1) v ON TRUE
 WHERE t.token_checksum = %s
"""


@dataclass(frozen=True, slots=True)
class Quota:
    """The grant's own limits, None where there is none."""

    calls_a_day: int | None
    rows_a_day: int | None
    calls_a_minute: int | None


@dataclass(slots=True)
class Reservation:
    """Of the rows for which the call was given room, those that its access record tells."""

    used: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """An admitted call: the system, the grant under which it reads, and where.

    horizon: every batch up to this number was visible. contract_id: the dataset's version in force.
    has_marks: some record of the dataset is under correction. landed_contract_id: the version that
    the table follows. forgotten: versions of rows that a batch up to this one ended are gone.
    landed_at: when the last batch was applied.
    quota: None where the grant has none. is_console: a person tries it in the browser. trial: what
    a credential for tests reads instead. untried: that credential, if it was never answered.
    """

    user_id: int
    system_id: int
    dataset_id: int
    dataset_code: str
    grant_id: int
    grant_version: int
    expires_at: datetime
    purpose: str
    table: str
    horizon: int | None
    contract_id: int
    at: datetime
    client_address: str | None = None
    role: str = field(default="")
    has_marks: bool = False
    landed_contract_id: int | None = None
    forgotten: int = 0
    landed_at: datetime | None = None
    quota: Quota | None = None
    reservation: Reservation | None = None
    is_console: bool = False
    trial: Trial | None = None
    untried: int | None = None

    @property
    def view(self) -> str:
        return naming.view_of_grant(self.grant_id)

    @property
    def relation(self) -> str:
        """What stands after FROM to read what the call may."""
        return self.trial.relation if self.trial else naming.relation_of_grant(self.grant_id)

    @property
    def past_relation(self) -> str:
        if self.trial:
            return self.trial.past_relation
        return naming.past_relation_of_grant(self.grant_id)


def code_in_path(code: str) -> str:
    """Return the dataset's code as the catalogue writes it; in addresses "-" stands for "/"."""
    return code.replace("-", "/")


def token_of(authorization: str | None) -> str:
    """Return the bearer token of the header.

    Raises:
        NotAuthenticated: there is none.
    """
    found = BEARER.fullmatch(authorization or "")
    if found is None:
        raise NotAuthenticated
    return found[1]


def admit(
    token: str,
    code: str,
    *,
    at: datetime,
    client_address: str | None = None,
    is_verification: bool = False,
    is_trial_offered: bool = True,
) -> Call:
    """Admit a call on a dataset, or refuse it and write the refusal down.

    A credential for tests reads invented rows under the same terms, where the address offers them.

    A grant for verification only admits nothing else, and one with networks of its own no call from
    elsewhere, nor one whose address is unknown.

    Raises:
        NotAuthenticated: the token is unknown or expired.
        SystemDisabled, GrantRefused: with the reason as its code.
        PlannedStopped: the service stands still, as was announced.
    """
    row = _look_up(token, code, at)
    if row is None or row[0] <= at or row[-4] <= at:
        raise NotAuthenticated
    try:
        if row[-3] == Credential.Environment.TEST:
            return _admitted_to_trial(
                row, at, is_verification=is_verification, is_offered=is_trial_offered
            )
        return _admitted(row[:-4], at, client_address, is_verification=is_verification)
    except (SystemDisabled, GrantRefused) as refusal:
        _write_down(refusal, (row[1], row[5], row[6]), at)
        raise


def refusal_now(call: Call, *, at: datetime) -> GrantRefused | GrantUnavailable | ResyncRequired:
    """Say why the database refused a call that was admitted a moment ago, and write it down."""
    if call.trial:
        return GrantUnavailable()
    grant = Grant.objects.get(pk=call.grant_id)
    reason = _reason(grant.status, grant.starts_at, grant.expires_at, at)
    if reason is None and grant.version != call.grant_version:
        return ResyncRequired(version=grant.version)
    if reason is None:
        logger.error("grant %s is in force but the database refuses it", call.grant_id)
        return GrantUnavailable()
    refusal = GrantRefused.because(reason, grant=call.grant_id)
    record_refused_read(refusal, call, at=at)
    return refusal


def stopped(call: Call, *, at: datetime) -> GrantRefused | SystemDisabled | ResyncRequired | None:
    """Say why a stream that was admitted earlier must not go on, None when it may."""
    if call.trial:
        return None
    grant = Grant.objects.select_related("system__service_user").get(pk=call.grant_id)
    return refusal_of(grant, call.grant_version, at=at)


def refusal_of(
    grant: Grant, version: int, *, at: datetime
) -> GrantRefused | SystemDisabled | ResyncRequired | None:
    """Say why nothing may be read under that version of the grant now, None when it may."""
    system = grant.system
    if not system.is_in_service():
        return SystemDisabled()
    reason = _reason(grant.status, grant.starts_at, grant.expires_at, at)
    if reason is not None:
        return GrantRefused.because(reason, grant=grant.pk)
    return None if grant.version == version else ResyncRequired(version=grant.version)


def record_refused_read(
    refusal: GrantRefused | SystemDisabled, call: Call, *, at: datetime
) -> None:
    """Write down that a call was refused after it had been admitted."""
    _write_down(refusal, (call.user_id, call.dataset_id, call.grant_id), at)


def record_refused(
    refusal: GrantRefused | SystemDisabled, *, user: User, grant: Grant, at: datetime
) -> None:
    """Write down that a person at a screen was refused what his grant does not cover."""
    _write_down(refusal, (user.pk, grant.dataset_id, grant.pk), at)


def _write_down(
    refusal: GrantRefused | SystemDisabled, who: tuple[int, int | None, int | None], at: datetime
) -> None:
    user_id, dataset_id, grant_id = who
    subject: Model | None = None
    if grant_id is not None:
        subject = Grant.objects.filter(pk=grant_id).first()
    elif dataset_id is not None:
        subject = Dataset.objects.filter(pk=dataset_id).first()
    ledger.record_refusal(
        User.objects.get(pk=user_id),
        VERB,
        subject,
        at=at,
        code=refusal.code,
        message=str(refusal),
    )


def _look_up(token: str, code: str, at: datetime) -> tuple[Any, ...] | None:
    checksum = hashlib.sha256(token.encode()).hexdigest()
    return prepared.fetch_one(_WHO, [at, code, checksum])


def _admitted(
    row: tuple[Any, ...], at: datetime, client_address: str | None, *, is_verification: bool
) -> Call:
    (_expires, user_id, is_active, system_id, system_status, dataset_id,
     grant_id, version, status, starts_at, expires_at, purpose,
     table, horizon, contract_id, code, landed_contract_id, forgotten, landed_at,
     has_marks, stopped_until, mode, addresses, *limits) = row  # fmt: skip
    if not is_active or system_status == InformationSystem.Status.RETIRED:
        raise SystemDisabled
    if grant_id is None or contract_id is None:
        raise GrantRefused.because("no_grant")
    reason = _reason(status, starts_at, expires_at, at)
    if reason is None and not _comes_from(_networks(addresses), client_address):
        reason = "address_not_allowed"
    if reason is None and mode == Mode.VERIFY and not is_verification:
        reason = "verify_only"
    if reason is not None:
        raise GrantRefused.because(reason, grant=grant_id)
    if stopped_until is not None and stopped_until > at:
        raise PlannedStopped(until=stopped_until, at=at)
    return Call(
        user_id=user_id,
        system_id=system_id,
        dataset_id=dataset_id,
        dataset_code=code,
        grant_id=grant_id,
        grant_version=version,
        expires_at=expires_at,
        purpose=purpose[:300],
        table=table,
        horizon=horizon,
        contract_id=contract_id,
        at=at,
        client_address=client_address,
        role=_reader(system_id, grant_id, mode),
        has_marks=has_marks,
        landed_contract_id=landed_contract_id,
        forgotten=forgotten or 0,
        landed_at=landed_at,
        quota=Quota(*limits) if any(limits) else None,
    )


def _admitted_to_trial(
    row: tuple[Any, ...], at: datetime, *, is_verification: bool, is_offered: bool
) -> Call:
    (_expires, user_id, is_active, system_id, system_status, dataset_id, *_grant) = row
    contract_id, code = row[14], row[15]
    if not is_active or system_status == InformationSystem.Status.RETIRED:
        raise SystemDisabled
    if not is_offered:
        raise GrantRefused.because("not_in_test")
    trial = contract_id and samples.trial_of(system_id, dataset_id, contract_id, at=at)
    if not trial:
        raise GrantRefused.because("no_grant")
    if trial.mode == Mode.VERIFY and not is_verification:
        raise GrantRefused.because("verify_only")
    return Call(
        user_id=user_id,
        system_id=system_id,
        dataset_id=dataset_id,
        dataset_code=code,
        grant_id=trial.grant_id,
        grant_version=trial.version,
        expires_at=row[-4],
        purpose=str(_("测试环境试调")),
        table="test",
        horizon=samples.HORIZON,
        contract_id=contract_id,
        at=at,
        role=naming.trial_role(pool.database()),
        landed_contract_id=contract_id,
        trial=trial,
        untried=row[-2] if row[-1] else None,
    )


def remember_trial(call: Call, *, at: datetime) -> None:
    """Note that the credential for tests was answered once; what failed was no trial."""
    if call.untried is not None:
        Credential.objects.filter(pk=call.untried, tried_at=None).update(tried_at=at)


def _reader(system_id: int, grant_id: int, mode: str) -> str:
    is_verify_only = mode == Mode.VERIFY
    name = pool.database()
    return naming.role_of_reader(
        name, system_id=system_id, grant_id=grant_id, is_verify_only=is_verify_only
    )


def comes_from(networks: Iterable[str], client_address: str | None) -> bool:
    """Say whether the networks hold the address; none hold all."""
    return _comes_from(tuple(ipaddress.ip_network(text) for text in networks), client_address)


def _comes_from(networks: tuple[Network, ...], client_address: str | None) -> bool:
    if not networks:
        return True
    if client_address is None:
        return False
    address = ipaddress.ip_address(client_address)
    # A socket that listens to both families tells the old one's addresses within the new one's.
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in networks)


@lru_cache(maxsize=4096)
def _networks(written: str) -> tuple[Network, ...]:
    """Return the networks as the database writes them."""
    return tuple(ipaddress.ip_network(text) for text in json.loads(written))


def _reason(status: str, starts_at: datetime, expires_at: datetime, at: datetime) -> str | None:
    """Return why nothing may be read now, None when it may."""
    reasons = {
        Grant.Status.DELIVERING: "grant_not_delivered",
        Grant.Status.SUSPENDED: "grant_suspended",
        Grant.Status.ENDED: "grant_ended",
        Grant.Status.EXPIRED: "grant_expired",
    }
    if status in reasons:
        return reasons[Grant.Status(status)]
    if at >= expires_at:
        return "grant_expired"
    return "grant_not_started" if at < starts_at else None
