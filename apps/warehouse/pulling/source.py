"""What is to be read, and as whom, from the row of a source."""

from apps.core import secrets
from apps.warehouse.models import PullSource
from apps.warehouse.pulling.databases import Login
from apps.warehouse.sync.reading import Query


def login_of(source: PullSource) -> Login:
    """Return where the source is and its login.

    Raises:
        SecretUnreadable: the installation's secret changed.
    """
    return Login(
        kind=source.kind,
        host=source.host,
        port=source.port or 0,
        database=source.database,
        username=source.username,
        secret=secrets.unseal(source.sealed_secret),
        requires_tls=source.requires_tls,
    )


def query_of(source: PullSource) -> Query:
    """Return which table is read, with the items' names as headings."""
    return Query(
        table=source.table_name,
        schema=source.table_schema,
        columns=tuple(source.columns.items()),
        watermark=source.watermark_column,
    )
