"""The ways out: credentials, files, copies, logins, services, and what is told about them."""
