"""Draft a catalogue entry from a file: read the whole of it, enter what it seems to be."""

from datetime import datetime
from typing import BinaryIO

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Department, User
from apps.catalog import operations as catalog
from apps.catalog.models import Classification, Dataset
from apps.core import access, files
from apps.ledger import operations as ledger
from apps.warehouse.models import FileProposal, StoredFile
from apps.warehouse.operations.receiving import stored_file
from apps.warehouse.proposing import Proposed, Told, propose_from, unheard


def propose(
    *,
    file: BinaryIO,
    file_name: str,
    classification: Classification,
    actor: User,
    at: datetime,
    name: str = "",
    department: Department | None = None,
) -> FileProposal:
    """Enter a draft for the own department, proposed from a file, with the evidence for it.

    For a face that can wait as long as the reading takes; `request_proposal` has the worker do it.
    Only a draft comes of it, which its editors correct; nothing lands. `name` is the entry's, made
    from the file's when absent.

    Source: house rule (issue 4)
    Raises:
        NotAllowed: the actor edits no department's catalogue.
        Refusal: the file holds no table, or one that cannot be read.
        Conflict: the department has an entry of that name.
        StorageFull: there is no room for the file.
    """
    access.require(actor, "create", Dataset, at=at)
    kept = files.keep(files.blocks_of(file))
    proposed = read(kept.sha256, file_name, at)
    with transaction.atomic():
        return enter(
            proposed,
            stored=stored_file(kept, at),
            file_name=file_name,
            classification=classification,
            name=name,
            department=department,
            actor=actor,
            at=at,
        )


def read(sha256: str, file_name: str, at: datetime, *, told: Told = unheard) -> Proposed:
    """Read the whole of a kept file, in a workplace of its own.

    Raises:
        Refusal: the file holds no table, or one that cannot be read.
    """
    workplace = files.make_workplace("propose")
    try:
        on = timezone.localdate(at)
        return propose_from(files.path_of(sha256), file_name, workplace, on=on, told=told)
    finally:
        files.clear_workplace(workplace)


def enter(
    proposed: Proposed,
    *,
    stored: StoredFile,
    file_name: str,
    classification: Classification,
    name: str,
    department: Department | None,
    actor: User,
    at: datetime,
) -> FileProposal:
    """Enter the draft with its evidence; the caller's transaction holds both together.

    Raises:
        NotAllowed: the actor does not edit the department's catalogue.
        Conflict: the department has an entry of that name.
    """
    if name.strip():
        proposed.fields["name"] = name.strip()
    dataset = catalog.create_dataset(
        actor=actor,
        at=at,
        classification=classification,
        items=proposed.items,
        department=department,
        **proposed.fields,
    )
    made = FileProposal.objects.create(
        dataset=dataset,
        file=stored,
        file_name=file_name[-255:],
        rows=proposed.rows,
        notes=proposed.notes,
        evidence=[each.to_json() for each in proposed.evidence],
        item_evidence={
            column: [each.to_json() for each in evidence]
            for column, evidence in proposed.item_evidence.items()
        },
        proposed_by=actor,
        proposed_at=at,
    )
    ledger.record(
        actor,
        "warehouse.propose",
        dataset,
        at=at,
        department=dataset.department,
        details={"file_name": made.file_name, "rows": made.rows, "sha256": stored.sha256},
    )
    return made
