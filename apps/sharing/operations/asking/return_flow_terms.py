"""What binds a request of return flow: its rows and way are given, nobody adds a condition.

Called by the use cases of requests and grants, which have asked permission and write the event.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, InvalidInput
from apps.sharing import queries
from apps.sharing.models import Mode, SharingRequest

STATUTE: Final = re.compile(r"《[^《》]+》")


def refuse_conditions(request: SharingRequest) -> None:
    """Keep the provider from giving back less, or under conditions.

    Source: 《政务数据共享条例》第二十四条
    """
    if queries.return_flow_of(request) is not None:
        raise Conflict(
            _("数据回流不得附加条件：同意，或者依法不予回流"), code="no_added_conditions"
        )


def refuse_supplement(request: SharingRequest) -> None:
    """Nothing is missing in what the platform itself has written; its clock does not rest."""
    if queries.return_flow_of(request) is not None:
        raise Conflict(_("数据回流不退回补正，限时答复"), code="no_added_conditions")


def refuse_other_time(request: SharingRequest) -> None:
    """Its time is neither shortened by an urgent order nor extended.

    Source: comparator (西安第三十六条)
    """
    if queries.return_flow_of(request) is not None:
        raise Conflict(_("数据回流的答复时限是固定的，不能更改"), code="time_is_given")


def check_opinion(request: SharingRequest, outcome: str, legal_basis: str) -> None:
    """Return flow is agreed to as it is, or refused on legal grounds: a statute is named.

    Source: 《政务数据共享条例》第二十四条
    """
    if outcome == "narrow":
        refuse_conditions(request)
    if outcome != "refuse" or queries.return_flow_of(request) is None:
        return
    if not STATUTE.search(legal_basis):
        raise InvalidInput(
            _("不予回流须有法律、行政法规依据，写明名称（用书名号）和条款"),
            code="no_statute",
            field="legal_basis",
        )


def refuse_other_rows(request: SharingRequest, row_condition: Sequence[dict[str, Any]]) -> None:
    """Keep the rows those of the district."""
    flow = queries.return_flow_of(request)
    if flow is not None and list(row_condition) != flow.row_condition:
        raise Conflict(_("数据回流的范围是本区划的记录，不能修改"), code="rows_are_given")


def refuse_other_way(request: SharingRequest) -> None:
    """A standing subscription lands in the district's pool."""
    flow = queries.return_flow_of(request)
    if flow is not None and request.mode != Mode.BATCH:
        raise InvalidInput(
            _("数据回流以批量交换的方式落地到本部门数据池"), code="way_is_given", field="mode"
        )
