"""Puts a machine into shape, on the box or over SSH."""
