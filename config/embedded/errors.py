"""What can go wrong with the embedded server, said in words."""


class EmbeddedServerError(RuntimeError):
    """The embedded PostgreSQL cannot be prepared or started; the message says what to do."""
