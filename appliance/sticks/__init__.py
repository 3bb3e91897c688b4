"""Backups on USB sticks that change places between the node and another building."""
