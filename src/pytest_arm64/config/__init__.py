"""Settings, services and targets: what the project's files and the user say, as values."""
