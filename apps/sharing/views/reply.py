"""The signed decision as a letter to print and file."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from apps.core import access
from apps.sharing.reply.contents import reply_letter
from apps.sharing.views.detail import subject_or_404

KINDS = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


@login_required
def reply(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Send the letter of a signed decision as PDF or Word, to whoever may see the request."""
    subject = subject_or_404(request, pk)
    user: Any = request.user
    if kind not in KINDS or not access.allowed(user, "read_reply", subject):
        raise Http404
    letter = reply_letter(subject, at=timezone.now())
    if kind == "pdf":
        from apps.sharing.reply.pdf import as_pdf  # only who prints waits for the library

        body = as_pdf(letter)
    else:
        from apps.sharing.reply.word import as_word

        assert subject.decided_at is not None  # the scope admits no other
        body = as_word(letter, written_at=subject.decided_at)
    name = _("答复书 %(number)s.%(kind)s") % {"number": subject.number, "kind": kind}
    headers = {"Content-Disposition": content_disposition_header(as_attachment=True, filename=name)}
    return HttpResponse(body, content_type=KINDS[kind], headers=headers)
