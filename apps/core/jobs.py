"""Wake the worker by a task's name, so that operations never import tasks.

The row is the queue: an operation sets a status and wakes; the task takes whatever is due. A job is
written in the caller's transaction, so it exists exactly if the change does. Waking twice before
the worker comes makes one job.
"""

from django.conf import settings
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued


def wake(task: str, *, at_most_one: bool = True, **arguments: int | str) -> None:
    """Ask the worker to run `task` ("app.task") after this transaction commits.

    With `at_most_one`, an equal call that still waits makes this one superfluous.
    """
    if not settings.HUILIU_JOBS:
        return
    signature = ":".join([task, *(f"{key}={arguments[key]}" for key in sorted(arguments))])
    job = app.configure_task(
        task, allow_unknown=True, queueing_lock=signature if at_most_one else None
    )
    try:
        with transaction.atomic():
            job.defer(**arguments)
    except AlreadyEnqueued:
        return
