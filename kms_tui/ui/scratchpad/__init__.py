"""The scratchpad's screen and the panes it is made of; what it does is in ``kms_tui.crypto_ops``."""
