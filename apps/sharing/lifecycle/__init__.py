"""How what is shared moves: one table per object."""

from apps.sharing.lifecycle.changing import SERVICE_CHANGE
from apps.sharing.lifecycle.credentials import CREDENTIAL
from apps.sharing.lifecycle.database_logins import DATABASE_LOGIN
from apps.sharing.lifecycle.disposing import DISPOSAL
from apps.sharing.lifecycle.interfaces import INTERFACE
from apps.sharing.lifecycle.negotiating import OFFER
from apps.sharing.lifecycle.requests_and_grants import (
    EXPORT,
    GRANT,
    IDLE_NOTICE,
    RECERTIFICATION,
    REQUEST,
    TERMS_TEMPLATE,
)
from apps.sharing.lifecycle.stopping import PLANNED_STOP
from apps.sharing.lifecycle.suppliers import SUPPLIER_ACCOUNT
from apps.sharing.lifecycle.webhooks import WEBHOOK

__all__ = [
    "CREDENTIAL",
    "DATABASE_LOGIN",
    "DISPOSAL",
    "EXPORT",
    "GRANT",
    "IDLE_NOTICE",
    "INTERFACE",
    "OFFER",
    "PLANNED_STOP",
    "RECERTIFICATION",
    "REQUEST",
    "SERVICE_CHANGE",
    "SUPPLIER_ACCOUNT",
    "TERMS_TEMPLATE",
    "WEBHOOK",
]
