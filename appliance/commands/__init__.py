"""The subcommands of `slrt`, a file a subject: each only translates between a terminal and the service."""
