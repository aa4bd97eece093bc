"""The data plane: the one way out. Read in the order refusals, calls, shapes, filters, cursor,
pool, statements, pages, formats, exports, changes, verifying; credentials and oauth say how a
system signs in.

A call is admitted by one statement (token, system, grant), read as the system's own role through
the view of the grant, recorded durably in the same transaction, and only then answered.

Source: house rule (design §4, §7)
"""
