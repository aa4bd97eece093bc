"""What people fill in about quality."""
