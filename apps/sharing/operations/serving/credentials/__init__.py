"""Credentials (调用凭证) of information systems: offered, collected, replaced, ended, watched.

Source: GB/T 22239-2019 第三级（身份鉴别）; house rule (issue 5: credentials)
"""

from apps.sharing.operations.serving.credentials.ending import revoke_credential, void_credentials
from apps.sharing.operations.serving.credentials.issuing import (
    MOST_CREDENTIALS,
    MOST_OVERLAP_DAYS,
    collect_credential,
    issue_credential,
    offer_credential,
    replace_credential,
)
from apps.sharing.operations.serving.credentials.watching import keep_credentials

__all__ = [
    "MOST_CREDENTIALS",
    "MOST_OVERLAP_DAYS",
    "collect_credential",
    "issue_credential",
    "keep_credentials",
    "offer_credential",
    "replace_credential",
    "revoke_credential",
    "void_credentials",
]
