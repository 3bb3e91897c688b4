"""Notices of the power to people elsewhere, by mail or a messenger, where there is a network. The node never needs them."""
