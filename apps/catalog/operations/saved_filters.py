"""Keep a search under a name, for oneself or for others, and let go of it."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.models import SavedFilter
from apps.catalog.search import Filters
from apps.core import access
from apps.core.errors import Conflict, InvalidInput, required_text
from apps.ledger import operations as ledger


@transaction.atomic
def save_filter(
    *, actor: User, at: datetime, name: str, query: str, audience: str = "own"
) -> SavedFilter:
    """Keep a search under a name; what is kept is the filters, not what they find.

    query: an address' part after the question mark, or parts of it; what is no filter is dropped.

    Raises:
        NotAllowed: the actor belongs to no department.
        InvalidInput: no name, no filter, or a filter has a value that there is not.
        Conflict: the actor keeps a search of that name already.
    """
    standing = access.require(actor, "save", SavedFilter, at=at)
    name = required_text(name, _("请填写名称"), field="name")
    if len(name) > 50:
        raise InvalidInput(_("名称不超过 50 个字"), field="name")
    if audience not in SavedFilter.Audience.values:
        raise InvalidInput(_("请选择共享给谁"), field="audience")
    filters = Filters.read(QueryDict(query.removeprefix("?")).dict())
    kept = QueryDict(mutable=True)
    kept.update(filters.chosen())
    if not kept:
        raise InvalidInput(_("没有可保存的筛选条件"), field="query")
    if filters.sort:
        kept["sort"] = filters.sort
    if len(kept.urlencode()) > 1000:
        raise InvalidInput(_("筛选条件过长"), field="query")
    saved = SavedFilter(
        owner=actor,
        name=name,
        query=kept.urlencode(),
        department=(standing.principal or actor).department,
        audience=audience,
        created_at=at,
    )
    try:
        with transaction.atomic():
            saved.save()
    except IntegrityError as error:
        raise Conflict(_("已有同名的常用筛选"), field="name") from error
    ledger.record(
        standing, "catalog.save_filter", saved, at=at, details={"audience": audience, "name": name}
    )
    return saved


@transaction.atomic
def delete_filter(*, saved: SavedFilter, actor: User, at: datetime) -> None:
    """Let go of a kept search, for everybody with whom it was shared.

    Raises:
        NotAllowed: it is somebody else's.
    """
    standing = access.require(actor, "delete", saved, at=at)
    ledger.record(standing, "catalog.delete_filter", saved, at=at, details={"name": saved.name})
    saved.delete()
