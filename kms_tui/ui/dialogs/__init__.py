"""Modal questions. All of them ignore what is typed in the moment they open, and start on Cancel."""
