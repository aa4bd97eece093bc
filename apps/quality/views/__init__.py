"""The pages of quality: overview, datasets, rules, findings, work orders, corrections."""
