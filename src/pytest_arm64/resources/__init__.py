"""Data files: targets and their recipes."""
