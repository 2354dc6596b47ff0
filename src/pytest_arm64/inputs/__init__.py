"""Phase 1, what a project asks for: reads requirement files, pyproject.toml, locks, artifacts."""
