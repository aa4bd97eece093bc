"""Corrections 校核: raise, verify, decide, correct, feed back. One function per use case."""

from apps.quality.operations.corrections.correcting import hand_in, link, settle_due
from apps.quality.operations.corrections.ending import close, close_due, contest, send_back
from apps.quality.operations.corrections.looking import Record, look_up
from apps.quality.operations.corrections.raising import raise_correction, withdraw
from apps.quality.operations.corrections.verifying import (
    accept,
    confirm,
    forward,
    uphold,
    verify,
)

__all__ = [
    "Record",
    "accept",
    "close",
    "close_due",
    "confirm",
    "contest",
    "forward",
    "hand_in",
    "link",
    "look_up",
    "raise_correction",
    "send_back",
    "settle_due",
    "uphold",
    "verify",
    "withdraw",
]
