"""What runs at a department as well as here: reading by watermark, and the copies of consumers.

Nothing in this package imports Django: `huiliu-sync` (the front node) uses it without the portal.
"""
