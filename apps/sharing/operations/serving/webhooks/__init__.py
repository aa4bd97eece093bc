"""Events are pushed to systems (事件推送): addresses kept, events collected, sent, sent again.

Source: house rule (issue 5: webhooks)
"""

from apps.sharing.operations.serving.webhooks.collecting import collect_events
from apps.sharing.operations.serving.webhooks.delivering import forget_deliveries, push_due, resend
from apps.sharing.operations.serving.webhooks.keeping import (
    pause_webhook,
    ping,
    register_webhook,
    remove_webhook,
    renew_secret,
    resume_webhook,
)

__all__ = [
    "collect_events",
    "forget_deliveries",
    "pause_webhook",
    "ping",
    "push_due",
    "register_webhook",
    "remove_webhook",
    "renew_secret",
    "resend",
    "resume_webhook",
]
