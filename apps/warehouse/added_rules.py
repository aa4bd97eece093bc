"""Rules beyond the contract's that keep rows from landing; a higher app knows them.

The warehouse does not know who adds rules: `quality` registers itself when it is ready. What it
returns is compiled into the same statement as the contract's own rules.
"""

from collections.abc import Callable, Sequence
from datetime import date
from hashlib import sha256

from apps.core.contracts import Contract
from apps.warehouse.landing.rules import Rule
from apps.warehouse.models import Batch

Provider = Callable[[int, Contract, date], Sequence[Rule]]

_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Have a function of (dataset, contract, day) answer with rules; the same one counts once."""
    if provider not in _providers:
        _providers.append(provider)


def signature(rules: Sequence[Rule]) -> str:
    """Return what differs where the same file would be judged otherwise; "" for no rules."""
    if not rules:
        return ""
    said = "\n".join(f"{rule.code} {rule.is_quarantine} {rule.broken}" for rule in rules)
    return sha256(said.encode()).hexdigest()


def of_batch(batch: Batch, contract: Contract, *, on: date) -> list[Rule]:
    """Return the added rules that the batch's rows must keep.

    A list of keys to delete keeps none. Rows that were set aside and released have been looked at:
    the rules that set rows aside do not ask again.
    """
    if batch.mode == Batch.Mode.DELETE:
        return []
    rules = [rule for provide in _providers for rule in provide(batch.dataset_id, contract, on)]
    if rules and batch.releases.exists():
        return [rule for rule in rules if not rule.is_quarantine]
    return rules
