"""Log-in tools for AWS."""
