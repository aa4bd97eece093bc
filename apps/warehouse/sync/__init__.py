"""What runs at a department as well as here: reading a table in the order of a watermark.

Nothing in this package imports Django: `huiliu-sync` (the front node) uses it without the portal.
"""
