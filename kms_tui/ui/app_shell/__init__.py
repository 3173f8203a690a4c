"""What the app needs around its screens: tables of screens, themes, palette, connecting, failures."""
