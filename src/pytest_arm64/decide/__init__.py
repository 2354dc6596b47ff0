"""Phases 4 and 5: from evidence to a verdict per service, and the boundaries that are declared."""
