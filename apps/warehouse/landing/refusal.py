"""The one error of this package: a file that as a whole cannot land."""

from apps.core.errors import InvalidInput


class Refusal(InvalidInput):
    """The file as a whole is refused; `code` is stable, the message says what to do next."""

    code = "file_refused"
