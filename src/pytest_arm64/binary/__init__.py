"""Phase 2, compiled files: what each needs, what the image provides, and whether it will load."""
