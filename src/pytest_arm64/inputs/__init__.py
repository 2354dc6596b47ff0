"""The files in which a service says what it depends on, read and never executed."""
