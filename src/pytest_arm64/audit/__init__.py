"""Phase 1: what a dependency tree looks like on ARM64, package by package."""
