"""The pages of tables and batches, for those who provide the data."""
