"""Phase 3, one session in a container, shown on the host: transport, frames, replayed reports."""
