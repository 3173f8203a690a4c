"""Widgets for any screen: Textual's with safe text, the virtual lists, and the bars of every screen."""
