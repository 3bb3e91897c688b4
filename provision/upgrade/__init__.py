"""From one release to the next and back: refuse early, close, copy, change, prove, open; or undo all of it."""
