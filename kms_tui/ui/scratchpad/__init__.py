"""The scratchpad: its screen, the panes that it is made of, and its dialogs.

What the operations do is in ``kms_tui.crypto_ops``.
"""
