"""First step: what the user asks for (settings, services, targets, cells), as frozen values."""
