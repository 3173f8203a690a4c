"""The terminal console; the only room that imports textual.

Imports run one way: app, app_shell, screens, actions, details or policy_editor or scratchpad, mode_screen,
dialogs, widgets, base. Each may import those after it and none before it; an import contract holds that.
"""
