"""What the pages let a person type: a module a subject, the shared kinds of field in `fields`."""
