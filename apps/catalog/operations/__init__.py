"""The use cases of the catalogue."""

from apps.catalog.operations.adopting import adopt_imports
from apps.catalog.operations.bulk import BULK_LIMIT, Outcome, decide_small
from apps.catalog.operations.changes import (
    abandon_change,
    approve_change,
    begin_change,
    publish_change,
    revise_change,
    send_back_change,
    submit_change,
)
from apps.catalog.operations.checking import check_imports
from apps.catalog.operations.completing import (
    SHARED_FIELDS,
    Passed,
    complete_drafts,
    lacks_assessment,
    lacks_key,
    wants,
)
from apps.catalog.operations.delegation import delegate_manage, delegate_review, end_delegation
from apps.catalog.operations.drafting import (
    create_dataset,
    delete_draft,
    record_assessment,
    revise_dataset,
)
from apps.catalog.operations.extending import extend_change
from apps.catalog.operations.importing import (
    adopt,
    decide_import,
    discard,
    receive_import,
    recheck,
)
from apps.catalog.operations.indexing import note_data, refresh, refresh_many, refresh_stale
from apps.catalog.operations.keeping import (
    delete_synonym,
    delete_upward_value,
    save_classification,
    save_synonym,
    save_upward_value,
)
from apps.catalog.operations.proposing import Trigger
from apps.catalog.operations.review import approve, publish, send_back, submit, take_over
from apps.catalog.operations.rounds import erase_remark, settle_remark, write_remark
from apps.catalog.operations.saved_filters import delete_filter, save_filter
from apps.catalog.operations.scanning import Scan, request_scan, scan_duplicates
from apps.catalog.operations.sources import (
    comment_duplicate,
    designate_source,
    end_designation,
    name_source,
    reconsider,
    tell_apart,
)
from apps.catalog.operations.submitting import submit_all
from apps.catalog.operations.withdrawal import decline_withdrawal, request_withdrawal, withdraw

__all__ = [
    "BULK_LIMIT",
    "SHARED_FIELDS",
    "Outcome",
    "Passed",
    "Scan",
    "Trigger",
    "abandon_change",
    "adopt",
    "adopt_imports",
    "approve",
    "approve_change",
    "begin_change",
    "check_imports",
    "comment_duplicate",
    "complete_drafts",
    "create_dataset",
    "decide_import",
    "decide_small",
    "decline_withdrawal",
    "delegate_manage",
    "delegate_review",
    "delete_draft",
    "delete_filter",
    "delete_synonym",
    "delete_upward_value",
    "designate_source",
    "discard",
    "end_delegation",
    "end_designation",
    "erase_remark",
    "extend_change",
    "lacks_assessment",
    "lacks_key",
    "name_source",
    "note_data",
    "publish",
    "publish_change",
    "receive_import",
    "recheck",
    "reconsider",
    "record_assessment",
    "refresh",
    "refresh_many",
    "refresh_stale",
    "request_scan",
    "request_withdrawal",
    "revise_change",
    "revise_dataset",
    "save_classification",
    "save_filter",
    "save_synonym",
    "save_upward_value",
    "scan_duplicates",
    "send_back",
    "send_back_change",
    "settle_remark",
    "submit",
    "submit_all",
    "submit_change",
    "take_over",
    "tell_apart",
    "wants",
    "withdraw",
    "write_remark",
]
