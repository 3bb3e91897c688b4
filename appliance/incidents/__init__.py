"""Incidents: data or a device that may be in wrong hands; the clock of the law, whom it touches, and what was done."""
