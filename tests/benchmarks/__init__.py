"""Claims of speed, each a ratio to PostgreSQL doing the bare minimum in the same run."""
