"""What is asked of rules, runs, findings, work orders, profiles and scores."""
