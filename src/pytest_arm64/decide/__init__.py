"""Phases 4 and 5, the decision: from evidence to gates, verdicts per service and boundaries."""
