"""What is described: the items as they are read, and the terms under which."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.catalog import queries as catalog
from apps.catalog.models import DataItem, Dataset
from apps.core.contracts import Column, Contract
from apps.sharing import queries
from apps.sharing.gateway.forwarding.serving import interface_of
from apps.sharing.gateway.shapes import Readable
from apps.sharing.leaving import Ending, endings_of, words_of_ending
from apps.sharing.models import Grant, Interface, limits_of
from apps.standards import masks
from apps.standards import queries as standards
from apps.warehouse import queries as warehouse

Endings = Mapping[str, tuple[Column, Ending | None]]
_NO_ENDINGS: Final[Endings] = {}


@dataclass(frozen=True, slots=True)
class Item:
    """One readable item. codes: code → meaning, of items with a code list; empty for others.

    ending: of an item that the entry lists no more, until when it is served.
    """

    readable: Readable
    label: str
    mask: str
    is_key: bool
    about: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    ending: Ending | None = None

    @property
    def name(self) -> str:
        return self.readable.name

    @property
    def column(self) -> Column:
        return self.readable.column

    @property
    def mask_label(self) -> str:
        return queries.mask_label(self.mask)


@dataclass(frozen=True, slots=True)
class Subject:
    """A dataset as it may be called for. grant: None for a dataset that is only described.

    published: the number of the version in which the entry is published now.

    interface: from which it is served, where nothing landed.
    can_verify: the whole key is among the items, unmasked, so that records can be named.
    """

    dataset: Dataset
    items: tuple[Item, ...]
    key: tuple[str, ...]
    published: int
    grant: Grant | None = None
    interface: Interface | None = None

    @property
    def code(self) -> str:
        """The dataset's code as addresses write it."""
        return self.dataset.dashed_code

    @property
    def is_verify_only(self) -> bool:
        return self.grant is not None and self.grant.is_verify_only

    @property
    def can_verify(self) -> bool:
        plain = {item.name for item in self.items if not item.mask}
        return set(self.key) <= plain and len(self.items) > len(self.key)

    @property
    def title(self) -> str:
        if self.grant is None:
            return self.dataset.name
        return _("%(name)s · 授权 %(grant)s") % {"name": self.dataset.name, "grant": self.grant}

    @property
    def version(self) -> str:
        return str(self.grant.version if self.grant else self.published)

    def find(self, name: str) -> Item | None:
        return next((item for item in self.items if item.name == name), None)


def of_grant(grant: Grant) -> Subject:
    """Return what the grant's system can call for, in the order of the grant.

    Raises:
        NotFound: the dataset was never published.
    """
    granted = {str(c["name"]): str(c.get("mask") or "") for c in grant.columns}
    contract = catalog.contract_of(grant.dataset)
    missing = set(granted) - {column.name for column in contract.columns}
    endings = endings_of(grant.dataset_id, missing)
    return _subject(grant.dataset, contract, _listed(grant.dataset), granted, grant, endings)


def of_dataset(dataset: Dataset) -> Subject:
    """Return what can be asked for of a dataset, under the masks that are usual for it.

    Raises:
        NotFound: the dataset was never published.
    """
    contract, listed = catalog.contract_of(dataset), _listed(dataset)
    shared = {
        column.name: queries.default_mask(listed[column.name])
        for column in contract.columns
        if _is_shared(listed.get(column.name))
    }
    return _subject(dataset, contract, listed, shared)


def _listed(dataset: Dataset) -> dict[str, DataItem]:
    return {item.column_name: item for item in dataset.items.select_related("dataset")}


def _subject(
    dataset: Dataset,
    contract: Contract,
    listed: dict[str, DataItem],
    shown: dict[str, str],
    grant: Grant | None = None,
    endings: Endings = _NO_ENDINGS,
) -> Subject:
    version = catalog.current_version(dataset)
    return Subject(
        dataset,
        _items(contract, listed, shown, endings),
        contract.key,
        published=version.number if version else 0,
        grant=grant,
        interface=None if warehouse.has_landed(dataset) else interface_of(dataset.pk),
    )


def limits_in_force(grant: Grant) -> dict[str, object]:
    """Return the limits of use that the grant has."""
    return {name: value for name, value in limits_of(grant).items() if value}


def _is_shared(item: DataItem | None) -> bool:
    return item is not None and item.effective_sharing_attribute != "not_shared"


def _items(
    contract: Contract, listed: dict[str, DataItem], shown: dict[str, str], endings: Endings
) -> tuple[Item, ...]:
    columns = {column.name: column for column in contract.columns}
    columns |= {name: column for name, (column, _ending) in endings.items()}
    coded = {
        name: item.code_list_id
        for name, item in listed.items()
        if item.code_list_id is not None and shown.get(name) == ""
    }
    names = standards.names_by_list(set(coded.values()), on=timezone.localdate())
    found = []
    for name, mask in shown.items():
        item, ending = listed.get(name), endings[name][1] if name in endings else None
        # What no version tells of is still shown by the grant, as text.
        column = columns.get(name) or Column(name=name, label=item.name if item else name, type="G")
        found.append(
            Item(
                readable=Readable(column, masks.type_after(column, mask), bool(mask)),
                label=item.name if item else column.label,
                mask=mask,
                is_key=name in contract.key,
                about=words_of_ending(ending) if ending else item.description if item else "",
                codes=names[coded[name]] if name in coded else {},
                ending=ending,
            )
        )
    return tuple(found)


def written_moment(at: datetime) -> str:
    return timezone.localtime(at).isoformat(timespec="seconds")
