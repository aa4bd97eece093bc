"""What the steps of the editor write: a draft entry, or a change of an entry in force."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.catalog import operations as catalog
from apps.catalog import queries, validation
from apps.catalog.differences import Difference, item_names
from apps.catalog.models import DataItem, Dataset, DatasetChange, ReviewRemark
from apps.catalog.proposals import fresh, proposed
from apps.catalog.snapshots import snapshot_of
from apps.catalog.validation import Remark


class Subject(ABC):
    """The one thing that differs between the two: where what is typed goes.

    entry: the entry as it would be; its prefetched items have keys by which lines are told apart.
    """

    entry: Dataset

    @property
    @abstractmethod
    def matter(self) -> Dataset | DatasetChange:
        """The row whose status and revision count."""

    @property
    @abstractmethod
    def dataset(self) -> Dataset:
        """The entry as it is kept, to which assessments belong."""

    @property
    @abstractmethod
    def keep(self) -> str:
        """The name under which a browser keeps what was typed and not sent."""

    @property
    @abstractmethod
    def found(self) -> list[Difference]:
        """What differs from the version in force; nothing for a first publication."""

    @abstractmethod
    def step_url(self, step: str) -> str: ...

    @abstractmethod
    def item_url(self, number: int) -> str: ...

    @abstractmethod
    def save(self, *, actor: Any, at: datetime, revision: int | None, **written: Any) -> Any: ...

    @abstractmethod
    def submit(self, *, actor: Any, at: datetime, revision: int | None) -> Any: ...

    @abstractmethod
    def reload(self) -> None:
        """Read again what is kept, after somebody else may have written."""

    @abstractmethod
    def remarks_found(self) -> list[Remark]: ...

    @abstractmethod
    def unsettled(self) -> QuerySet[ReviewRemark]: ...

    @property
    def revision(self) -> int:
        return self.matter.revision

    @property
    def url(self) -> str:
        return self.matter.get_absolute_url()

    def items(self) -> list[DataItem]:
        return sorted(self.entry.items.all(), key=lambda item: (item.position, item.pk))

    def related(self) -> list[Dataset]:
        return list(self.entry.related.all())

    def remarks(self) -> list[Remark]:
        """What validation finds, then what reviewers said and nothing answers or mends yet."""
        names = item_names({"items": [vars(item) for item in self.items()]})
        said = list(self.unsettled().select_related("round__dataset"))
        if said:
            now = snapshot_of(self.entry)
            said = [each for each in said if not queries.is_mended(each, each.round, now)]
        return [*self.remarks_found(), *(_as_remark(each, names) for each in said)]


class DraftEntry(Subject):
    """An entry that was never published, or was sent back before it was."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self.reload()

    @property
    def matter(self) -> Dataset:
        return self._dataset

    @property
    def dataset(self) -> Dataset:
        return self._dataset

    @property
    def keep(self) -> str:
        return f"dataset-{self._dataset.pk}"

    @property
    def found(self) -> list[Difference]:
        return []

    def step_url(self, step: str) -> str:
        return reverse("catalog:dataset-edit", args=[self._dataset.dashed_code, step])

    def item_url(self, number: int) -> str:
        return reverse("catalog:dataset-edit-item", args=[self._dataset.dashed_code, number])

    def save(self, *, actor: Any, at: datetime, revision: int | None, **written: Any) -> Any:
        return catalog.revise_dataset(
            dataset=self._dataset, actor=actor, at=at, revision=revision, **written
        )

    def submit(self, *, actor: Any, at: datetime, revision: int | None) -> Any:
        return catalog.submit(dataset=self._dataset, actor=actor, at=at, revision=revision)

    def reload(self) -> None:
        self._dataset.refresh_from_db()
        self.entry = fresh(self._dataset.pk)

    def remarks_found(self) -> list[Remark]:
        return validation.remarks_on(self.entry, on=timezone.localdate())

    def unsettled(self) -> QuerySet[ReviewRemark]:
        return queries.unsettled(self._dataset)


class OpenChange(Subject):
    """The next version of an entry in force; the entry itself is not touched."""

    def __init__(self, change: DatasetChange) -> None:
        self._change = change
        self.entry = proposed(change)

    @property
    def matter(self) -> DatasetChange:
        return self._change

    @property
    def dataset(self) -> Dataset:
        return self._change.dataset

    @property
    def keep(self) -> str:
        return f"change-{self._change.pk}"

    @property
    def found(self) -> list[Difference]:
        return queries.proposal_of(self._change).found

    def step_url(self, step: str) -> str:
        return reverse("catalog:change-edit", args=[self._change.pk, step])

    def item_url(self, number: int) -> str:
        return reverse("catalog:change-edit-item", args=[self._change.pk, number])

    def save(self, *, actor: Any, at: datetime, revision: int | None, **written: Any) -> Any:
        items: Iterable[dict[str, Any]] | None = written.pop("items", None)
        related = written.pop("related", None)
        return catalog.revise_change(
            change=self._change,
            actor=actor,
            at=at,
            revision=revision,
            fields=written,
            items=None if items is None else list(items),
            related=related,
        )

    def submit(self, *, actor: Any, at: datetime, revision: int | None) -> Any:
        return catalog.submit_change(change=self._change, actor=actor, at=at, revision=revision)

    def reload(self) -> None:
        self._change.refresh_from_db()
        self.entry = proposed(self._change)

    def remarks_found(self) -> list[Remark]:
        today = timezone.localdate()
        return queries.remarks_on_proposal(self.entry, self._change, on=today)

    def unsettled(self) -> QuerySet[ReviewRemark]:
        return queries.unsettled(self._change.dataset, self._change)


def _as_remark(remark: ReviewRemark, names: dict[str, str]) -> Remark:
    """What a reviewer said, in the shape in which the pages set remarks at their fields."""
    words = _("审核意见：%(text)s") % {"text": remark.text}
    if remark.item and remark.item not in names:
        return Remark("review", "items", words)
    return Remark("review", remark.field, words, names.get(remark.item, ""))
