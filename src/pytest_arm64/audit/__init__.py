"""Phase 1, the judgement: resolves requirements and gives each package its ARM64 state and fix."""
