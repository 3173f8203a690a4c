"""What can be done to keys: THE table of actions, and a module for each theme with its own dialogs."""
