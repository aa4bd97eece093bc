"""Record what was done, refused and read; open and close to-dos; notify and urge."""

from apps.ledger.operations.access_records import (
    close_access,
    open_access,
    record_access,
)
from apps.ledger.operations.events import (
    record,
    record_denial,
    record_failed_sign_in,
    record_many,
    record_refusal,
)
from apps.ledger.operations.inbox import (
    close_todos,
    close_todos_of_all,
    forward,
    notify,
    open_todo,
    read,
    read_all,
    urge,
)
from apps.ledger.operations.sending import (
    deliver_due,
)

__all__ = [
    "close_access",
    "close_todos",
    "close_todos_of_all",
    "deliver_due",
    "forward",
    "notify",
    "open_access",
    "open_todo",
    "read",
    "read_all",
    "record",
    "record_access",
    "record_denial",
    "record_failed_sign_in",
    "record_many",
    "record_refusal",
    "urge",
]
