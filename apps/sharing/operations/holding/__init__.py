"""What was agreed, and what becomes of it until its data are disposed of."""
