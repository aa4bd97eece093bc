"""Who may do what in supervision; one matrix per object, at the head of its module."""
