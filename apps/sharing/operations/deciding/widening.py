"""What a supplement asks for beyond what the own head sent to the provider.

Source: house rule: a supplement mends the papers; whoever asked in the department's name asks for
more
"""

from django.utils.translation import gettext as _

from apps.core.errors import InvalidInput
from apps.sharing import queries
from apps.sharing.models import LIMIT_FIELDS, Decision, Mode, SharingRequest
from apps.sharing.operations.deciding.limits import is_wider
from apps.sharing.operations.deciding.narrowing import HIDE


def what_grew(request: SharingRequest) -> list[str]:
    """Return in words what the request asks beyond what the provider received; [] of nothing.

    The statements are free: it is they that a supplement explains.
    """
    asked = queries.asked_terms(request)
    if asked is None:
        return []
    grown = _items_that_grew(request, asked)
    if any(entry not in request.row_condition for entry in asked.row_condition):
        grown.append(_("数据范围的条件"))
    if request.mode not in (asked.mode, Mode.VERIFY):
        grown.append(_("共享方式"))
    if _is_longer(request, asked):
        grown.append(_("使用时限"))
    grown += [
        str(SharingRequest._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        for name in LIMIT_FIELDS
        if is_wider(name, getattr(asked, name), getattr(request, name))
    ]
    return grown


def refuse_grown(request: SharingRequest, *, by_head: bool) -> None:
    """Refuse a supplement that asks for more; the head of the own sharing office may hand it in.

    What the district's authority passed on asks for no more by anybody: it would go past it.

    Raises:
        InvalidInput: `head_must_supplement` or `asks_for_more`, with what grew.
    """
    grown = what_grew(request)
    if not grown:
        return
    words = {"grown": "、".join(grown)}
    if queries.district_authority_of(request) is not None:
        raise InvalidInput(
            _(
                "补正比区县主管部门转报的申请要得更多（%(grown)s）；撤回后重新申请，"
                "或者恢复原来的内容"
            )
            % words,
            code="asks_for_more",
        )
    if not by_head:
        raise InvalidInput(
            _(
                "补正比本部门同意的申请要得更多（%(grown)s），由共享工作机构负责人提交；"
                "或者恢复原来的内容"
            )
            % words,
            code="head_must_supplement",
        )


def _items_that_grew(request: SharingRequest, asked: Decision) -> list[str]:
    masks = {entry["name"]: entry["mask"] for entry in asked.items}
    grown = []
    for entry in queries.written_items(request.requested_items.select_related("item")):
        was = masks.get(entry["name"])
        if was is None:
            grown.append(_("增加“%(item)s”") % {"item": entry["label"]})
        elif was and entry["mask"] not in (was, HIDE):
            grown.append(_("“%(item)s”的脱敏方式") % {"item": entry["label"]})
    return grown


def _is_longer(request: SharingRequest, asked: Decision) -> bool:
    if request.starts_on is None or request.ends_on is None:
        return False  # refused as incomplete
    return request.starts_on < asked.starts_on or request.ends_on > asked.ends_on
