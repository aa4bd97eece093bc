"""The terms under which a grant is served: also columns that its entry dropped, while it has them.

A dropped column keeps its last values in the table; masks and conditions on it stay as they are.
Only a condition that an absent value meets cannot be held: every row that came since has none.

Source: house rule (issue 5: both versions for N days)
"""

from django.utils.translation import gettext_lazy as _

from apps.catalog import queries as catalog
from apps.core.errors import Conflict
from apps.sharing.leaving import named_columns
from apps.sharing.models import Grant
from apps.sharing.terms_sql import Terms
from apps.warehouse.models import DataTable


def terms_of(grant: Grant) -> Terms:
    """Return the terms as they are served, checked against the contract and what it dropped.

    Raises:
        InvalidInput: as `Terms.of`.
        Conflict: rows are chosen by the absence of a dropped column (`grant_cannot_follow`).
    """
    names = named_columns(grant.columns, grant.row_condition)
    contract = catalog.contract_with(grant.dataset, names)
    terms = Terms.of(contract, grant.columns, grant.row_condition)
    absent = {each.item for each in terms.conditions if each.operator == "is_null" and each.value}
    listed = catalog.contract_of(grant.dataset).columns if absent else ()
    dropped = absent - {column.name for column in listed}
    if dropped:
        raise Conflict(
            _("数据范围条件要求“%(item)s”为空，这一列已停用，新记录都没有值，条件无法执行")
            % {"item": contract.column(min(dropped)).label},
            code="grant_cannot_follow",
            grant=grant.pk,
        )
    return terms


def new_terms_of(grant: Grant) -> Terms:
    """Return the terms of a grant that is about to be made: a dropped column is given to nobody.

    Raises:
        InvalidInput: as `Terms.of`.
    """
    return Terms.of(catalog.contract_of(grant.dataset), grant.columns, grant.row_condition)


def refuse_absent(grant: Grant, table: DataTable) -> None:
    """Refuse what the table never had: it was made after the column had been dropped.

    Raises:
        Conflict: with the column.
    """
    absent = named_columns(grant.columns, grant.row_condition) - set(table.column_names)
    if absent:
        raise Conflict(
            _("数据表建于“%(item)s”停用之后，没有这一列；先变更或者终止这项授权")
            % {"item": min(absent)},
            code="grant_cannot_follow",
            grant=grant.pk,
        )
