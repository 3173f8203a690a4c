"""The policy editor, the history of a key's policy, and the simulation of requests.

``policy_edit.PolicyEdit`` is what is edited. ``policy_opening``, ``editor_commands`` and ``save_command``
take it, and ``editor_screen`` shows it.
"""
