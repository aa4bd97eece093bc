"""What is done with stores and batches."""

from apps.warehouse.operations.confirming import confirm_no_change
from apps.warehouse.operations.exchange import (
    close_exchange,
    drain,
    drain_due,
    open_exchange,
)
from apps.warehouse.operations.forgetting import delete_forgotten, forget_past
from apps.warehouse.operations.landing import land, land_due
from apps.warehouse.operations.mending import (
    mend_by_file,
    mode_of,
    save_mended,
    submit_mended,
)
from apps.warehouse.operations.nodes import report_heartbeat
from apps.warehouse.operations.proposal_runs import (
    discard_proposal,
    propose_due,
    request_proposal,
    run_proposal,
)
from apps.warehouse.operations.proposing import propose
from apps.warehouse.operations.pulling import pull, pull_due, settle_runs
from apps.warehouse.operations.receiving import receive, require_may_land
from apps.warehouse.operations.registering import (
    change_source,
    pause_source,
    register_source,
    resume_source,
    retire_source,
    run_source_now,
    try_source,
)
from apps.warehouse.operations.rejections import set_aside
from apps.warehouse.operations.relaying import relay
from apps.warehouse.operations.releasing import release
from apps.warehouse.operations.reminding import remind_silent
from apps.warehouse.operations.revealing import record_download, reveal_rejections
from apps.warehouse.operations.stores import ensure_stores
from apps.warehouse.operations.tables import make_table
from apps.warehouse.operations.uploading import (
    begin_upload,
    discard_abandoned_uploads,
    discard_upload,
    finish_upload,
    receive_part,
)

__all__ = [
    "begin_upload",
    "change_source",
    "close_exchange",
    "confirm_no_change",
    "delete_forgotten",
    "discard_abandoned_uploads",
    "discard_proposal",
    "discard_upload",
    "drain",
    "drain_due",
    "ensure_stores",
    "finish_upload",
    "forget_past",
    "land",
    "land_due",
    "make_table",
    "mend_by_file",
    "mode_of",
    "open_exchange",
    "pause_source",
    "propose",
    "propose_due",
    "pull",
    "pull_due",
    "receive",
    "receive_part",
    "record_download",
    "register_source",
    "relay",
    "release",
    "remind_silent",
    "report_heartbeat",
    "request_proposal",
    "require_may_land",
    "resume_source",
    "retire_source",
    "reveal_rejections",
    "run_proposal",
    "run_source_now",
    "save_mended",
    "set_aside",
    "settle_runs",
    "submit_mended",
    "try_source",
]
