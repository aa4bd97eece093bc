"""Whether a system can read one record: asking is itself written down."""

from collections.abc import Mapping
from datetime import datetime

from apps.accounts.models import InformationSystem, User
from apps.catalog.models import Dataset
from apps.core import access
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.gateway import quotas
from apps.sharing.models import Grant
from apps.sharing.operations.attempts import attempt
from apps.sharing.queries import explained, explained_records
from apps.sharing.queries.explained import Explanation


@attempt("sharing.explain_record", "dataset")
def explain_record(
    *,
    system: InformationSystem,
    dataset: Dataset,
    actor: User,
    at: datetime,
    item: str = "",
    row_id: str = "",
    key: Mapping[str, str] | None = None,
) -> Explanation:
    """Explain whether the system can read a record, without a value of it.

    Of the key only the keyed digest is written down, as verification does.

    Source: 《个人信息保护法》第五十一条; house rule (issue 5: explain)
    Raises:
        NotFound: the person may not ask about this system and this entry.
        NotAllowed: he may ask about them, and not about records.
        InvalidInput: `unknown_item`, `invalid_value`, `key_incomplete`, `key_not_readable`.
    """
    explained.require_question(actor, system, dataset, at)
    of_dataset = access.allowed(actor, "explain_record", dataset, at=at)
    standing = access.require(actor, "explain_record", dataset if of_dataset else system, at=at)
    record = explained_records.named(dataset, row_id, key or {})
    tells_all = explained.is_told_all(actor, system, dataset, at)
    tell = explained_records.told_all if tells_all else explained_records.told_whether

    def of_record(grant: Grant) -> list[queries.Reason]:
        return tell(grant, record)

    answer = explained.explained_to(actor, system, dataset, at, item, of_record)
    details: dict[str, object] = {"system": system.code}
    if answer.grant is not None:
        details["grant"] = answer.grant.pk
    if record.row_id is None:
        details["key"] = quotas.digest_of_key(dataset.pk, record.key)
    else:
        details["row_id"] = record.row_id
    ledger.record(standing, "sharing.explain_record", dataset, at=at, details=details)
    return answer
