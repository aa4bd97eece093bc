"""What can go wrong on the way to a source, each with a code and words for the clerk."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


class SourceFailed(DomainError):
    """A source could not be read; nothing of it was handed in."""

    code = "source_failed"
    status = 502
    default_message = _("来源没有读完，稍后自动重试")


def told(error: BaseException) -> str:
    """Return a driver's own words, on one line and not too long; they hold no password."""
    return " ".join(str(error).split())[:300]
