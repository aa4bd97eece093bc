"""What departments, the authority and the platform do with demands: one function per use case."""

from apps.catalog.operations.demands.drafting import draft, recall, revise, submit, withdraw
from apps.catalog.operations.demands.fulfilment import (
    close,
    contest,
    deliver,
    fulfil,
    fulfil_due,
    resume,
    take_up,
)
from apps.catalog.operations.demands.matching import decline, match, match_due
from apps.catalog.operations.demands.reply import (
    agree,
    disown,
    propose,
    refuse,
    send_back_proposal,
)
from apps.catalog.operations.demands.review import approve, forward, point_out, send_back, split

__all__ = [
    "agree",
    "approve",
    "close",
    "contest",
    "decline",
    "deliver",
    "disown",
    "draft",
    "forward",
    "fulfil",
    "fulfil_due",
    "match",
    "match_due",
    "point_out",
    "propose",
    "recall",
    "refuse",
    "resume",
    "revise",
    "send_back",
    "send_back_proposal",
    "split",
    "submit",
    "take_up",
    "withdraw",
]
