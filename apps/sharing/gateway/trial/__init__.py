"""What a credential of the test environment reads: invented rows under the terms of the grant.

The same addresses, statements and masks, another relation and another role: one that may read the
invented rows and nothing else, so that no mistake in Python could show it a real one. Read in the
order patterns, invented, samples.

Source: house rule (issue 5: credentials, test first)
"""
