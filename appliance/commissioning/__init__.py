"""The acceptance of the node: what is tried before it is handed over, what the node saw of it, and the record that is signed."""
