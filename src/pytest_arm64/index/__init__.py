"""Phase 1, what package indexes have: pip's configuration, pages, files, metadata, repositories."""
