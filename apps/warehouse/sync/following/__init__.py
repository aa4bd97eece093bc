"""The consumer's side: a copy of what a grant shows, kept by the feed of changes and proved.

A copy is a table in the consumer's own database, with the place up to which it was read in the same
transaction as the rows; so it may be killed anywhere. A folder of files is such a table in a small
SQLite file, published whole at each complete state.
"""
