"""The pages of an SLRT node."""
