"""Phase 2, the installation: from the wheel matrix to an image with the packages in it."""
