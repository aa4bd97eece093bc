"""How the matters of supervision move; one table per object."""
