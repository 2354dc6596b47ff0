"""Phase 3, in the container: all that is loaded there; standard library and pytest only."""
