"""The doctor of a node: looks deeper than the status, numbers what it finds, and mends what can be mended without touching data."""
