"""What package indexes have: pip's configuration, pages, files, metadata, repositories."""
