"""What the files of releases hold: read in part, run never, cached by hash."""
