"""Before the first run: checks and prepares the machine, proposes services and settings."""
