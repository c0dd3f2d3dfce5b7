"""Steps of the OneLogin Python SDK, versions 1 and 2."""
