"""The node's own address on the office network: how it is, and a change of it that takes itself back unless it is confirmed."""
