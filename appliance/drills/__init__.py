"""Drills of the power protection, in levels from a table top to the whole machine, each with a record to file."""
