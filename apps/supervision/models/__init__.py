"""What supervision keeps: the responsibility board, work tasks and what comes later."""
