"""Backup and restore of files, SQLite and PostgreSQL. Knows nothing of the appliance: it must work when that is broken."""
