"""Messages that screens and widgets send each other."""

from __future__ import annotations

from textual.message import Message


class SessionOpened(Message):
    """The app has a session now, or another one than before."""

    bubble = False


class RefusalsTold(Message):
    """What is known of the refused uses of watched keys has changed."""

    bubble = False


class KeysChanged(Message):
    """Something that this console did changed keys; ``key_ids`` are to be read again (empty: all)."""

    def __init__(self, *key_ids: str) -> None:
        super().__init__()
        self.key_ids = key_ids
