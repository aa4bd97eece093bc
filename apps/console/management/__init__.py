"""Commands that run and check the whole installation."""
