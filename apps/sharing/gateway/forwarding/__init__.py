"""Calls that are forwarded to a provider's own service. Read in the order refusals, asking,
reading, breaker, masking, serving.

Token, grant, quota and access record are those of every call; only where the rows come from
differs. They pass through PostgreSQL, as the system's role, so that items, masks and the row
condition are the same SQL as for landed data.

Source: house rule (issue 5: registered interface)
"""
