"""Phase 3: one nested pytest per cell, mirrored by the host session."""
