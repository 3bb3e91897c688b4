"""The way back in: the passphrase of the backups on paper, whether that paper was tried, and changing it."""
