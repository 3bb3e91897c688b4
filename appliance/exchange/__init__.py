"""Lists that come from and go to other systems: imports with a dry run and an undo, exports that expire."""
