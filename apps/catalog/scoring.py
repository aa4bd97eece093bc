"""How good an entry's description is, 0–100, and how each lost point is mended.

Pure: asks nothing of the database; fetch the items beforehand.

Source: house rule; the legal minimum is that of 《政务数据共享条例》第十三条
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import DataItem, Dataset, ModeClass, OpeningAttribute, SharingAttribute
from apps.catalog.models.choices import FORMAT_TYPES, MODES_OF_FORMAT
from apps.catalog.surroundings import significant
from apps.catalog.validation import PROVISIONAL_COLUMN
from apps.standards.types import DECIMAL_TYPES, DataType

SAYS_SOMETHING: Final = 20
"""Characters from which an abstract can say content, extent and purpose."""

FRESH_DAYS: Final = 365
STALE_DAYS: Final = 730


@dataclass(frozen=True, slots=True)
class Criterion:
    """What points are given for. earned: the share of them that an entry has, 0–1;
    step: the editor's step in which the loss is mended."""

    points: int
    label: str | Promise
    mend: str | Promise
    step: str
    earned: Callable[[Dataset, Sequence[DataItem], date], float]


@dataclass(frozen=True, slots=True)
class Loss:
    """Points that an entry does not have, and what brings them."""

    kind: str
    points: float
    label: str | Promise
    mend: str | Promise
    step: str


@dataclass(frozen=True, slots=True)
class Score:
    """points: 0–100; losses: the greatest first."""

    points: int
    losses: tuple[Loss, ...]

    @property
    def kinds(self) -> list[str]:
        return [loss.kind for loss in self.losses]


def score_of(dataset: Dataset, items: Sequence[DataItem], *, on: date) -> Score:
    """Return the points of an entry on a day, with everything that it loses points for."""
    losses = []
    total = 0.0
    for kind, criterion in LOSSES.items():
        earned = min(1.0, max(0.0, criterion.earned(dataset, items, on)))
        total += criterion.points * earned
        lost = round(criterion.points * (1 - earned), 1)
        if lost:
            losses.append(Loss(kind, lost, criterion.label, criterion.mend, criterion.step))
    return Score(round(total), tuple(sorted(losses, key=lambda loss: -loss.points)))


def _abstract(dataset: Dataset, items: Sequence[DataItem], on: date) -> float:
    abstract = dataset.abstract.strip()
    if not abstract:
        return 0
    says_nothing = significant(abstract) == significant(dataset.name)
    return 0.3 if says_nothing or len(abstract) < SAYS_SOMETHING else 1


def _items(dataset: Dataset, items: Sequence[DataItem], on: date) -> float:
    return min(len(items), 3) / 3


def _key(dataset: Dataset, items: Sequence[DataItem], on: date) -> float:
    columns = {item.column_name for item in items}
    return bool(dataset.key_items) and set(dataset.key_items) <= columns


def _conditions(dataset: Dataset, items: Sequence[DataItem], on: date) -> float:
    stated: list[str] = []
    if dataset.sharing_attribute == SharingAttribute.CONDITIONAL:
        stated += [dataset.sharing_scope, dataset.sharing_condition]
    if dataset.sharing_attribute == SharingAttribute.NOT_SHARED:
        stated += [dataset.sharing_reason, dataset.sharing_statute]
    if dataset.opening_attribute == OpeningAttribute.CONDITIONAL:
        stated.append(dataset.opening_condition)
    return _share([bool(text.strip()) for text in stated])


def _format(dataset: Dataset, items: Sequence[DataItem], on: date) -> float:
    kind, types = dataset.format_type.strip().lower(), FORMAT_TYPES[dataset.format_class]
    return bool(kind) and (not types or kind in types)


def _mode(dataset: Dataset, items: Sequence[DataItem], on: date) -> float:
    if dataset.mode_class != ModeClass.PLATFORM:
        return 1
    return dataset.mode_type in MODES_OF_FORMAT[dataset.format_class]


def _classification(dataset: Dataset, items: Sequence[DataItem], on: date) -> float:
    return len(dataset.classification.code) >= 6


def _contact(dataset: Dataset, items: Sequence[DataItem], on: date) -> float:
    return _share([bool(dataset.contact_name.strip()), bool(dataset.contact_phone.strip())])


def _lengths(dataset: Dataset, items: Sequence[DataItem], on: date) -> float:
    sized = (*DECIMAL_TYPES, DataType.TEXT)
    return bool(items) and _share([bool(i.length) for i in items if i.data_type in sized])


def _standards(dataset: Dataset, items: Sequence[DataItem], on: date) -> float:
    """Half of the items following a standard is as good as all: not every item has one."""
    following = [bool(item.data_element_id or item.code_list_id) for item in items]
    return bool(items) and 2 * _share(following)


def _descriptions(dataset: Dataset, items: Sequence[DataItem], on: date) -> float:
    """An item of a data element is described there."""
    said = [bool(item.description.strip() or item.data_element_id) for item in items]
    return bool(items) and _share(said)


def _columns(dataset: Dataset, items: Sequence[DataItem], on: date) -> float:
    named = [not PROVISIONAL_COLUMN.fullmatch(item.column_name) for item in items]
    return bool(items) and _share(named)


def _freshness(dataset: Dataset, items: Sequence[DataItem], on: date) -> float:
    days = (on - timezone.localdate(dataset.updated_at)).days
    if days <= FRESH_DAYS:
        return 1
    return 0.5 if days <= STALE_DAYS else 0


def _share(facts: Sequence[bool]) -> float:
    return sum(facts) / len(facts) if facts else 1.0


LOSSES: Final[dict[str, Criterion]] = {
    "abstract": Criterion(
        10, _("摘要"), _("说明数据的内容、范围和用途，不少于 20 个字"), "basics", _abstract
    ),
    "items": Criterion(8, _("数据项"), _("逐项列出数据项"), "items", _items),
    "key": Criterion(8, _("主键列"), _("指明能唯一确定一条记录的主键列"), "items", _key),
    "conditions": Criterion(
        10, _("共享和开放条件"), _("写明共享范围、使用条件或者依据"), "rules", _conditions
    ),
    "format": Criterion(5, _("数据格式"), _("格式类型与格式分类相符"), "basics", _format),
    "mode": Criterion(5, _("共享方式"), _("共享方式与格式相符"), "rules", _mode),
    "classification": Criterion(4, _("资源分类"), _("分类至少到“目”"), "basics", _classification),
    "legal_duty": Criterion(
        8,
        _("法定职责"),
        _("写明数据产生所依据的三定职责或权责清单事项"),
        "basics",
        lambda dataset, _items, _on: bool(dataset.legal_duty.strip()),
    ),
    "contact": Criterion(6, _("联系人"), _("填写联系人和电话"), "basics", _contact),
    "internal_unit": Criterion(
        2,
        _("内部处室"),
        _("填写负责这项数据的处室"),
        "basics",
        lambda dataset, _items, _on: bool(dataset.internal_unit.strip()),
    ),
    "system": Criterion(
        4,
        _("来源信息系统"),
        _("选择数据来自哪个信息系统"),
        "basics",
        lambda dataset, _items, _on: bool(dataset.system_id),
    ),
    "themes": Criterion(
        2,
        _("主题标签"),
        _("至少写一个主题标签"),
        "basics",
        lambda dataset, _items, _on: bool(dataset.themes),
    ),
    "item_lengths": Criterion(
        6, _("数据项长度"), _("字符型、数值型数据项填写长度"), "items", _lengths
    ),
    "item_standards": Criterion(
        8, _("数据项标准"), _("至少一半数据项对应数据元或者代码集"), "items", _standards
    ),
    "item_descriptions": Criterion(
        3, _("数据项说明"), _("为没有对应数据元的数据项写明含义"), "items", _descriptions
    ),
    "item_columns": Criterion(
        3, _("列名"), _("把系统暂定的列名改为有意义的英文或拼音"), "items", _columns
    ),
    "freshness": Criterion(
        8, _("及时修订"), _("一年以上未修订，核对后重新报送"), "basics", _freshness
    ),
}
"""The table of points, one hundred in all, by the name under which a loss is filtered."""
