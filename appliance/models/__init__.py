"""Tables and the rules of one row, a file a subject."""
