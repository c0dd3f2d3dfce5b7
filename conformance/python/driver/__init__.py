"""The steps a OneLogin Python SDK walks through against a Countersign server."""
