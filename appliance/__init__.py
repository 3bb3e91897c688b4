"""The service below the pages, and its daemons."""

__version__ = "0.1.0"
