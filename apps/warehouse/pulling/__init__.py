"""Reading a department's source over the network: where to, as whom, and how errors are told."""
