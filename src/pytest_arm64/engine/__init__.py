"""Phase 2, the container engine: images, containers, probes of what they have, emulation."""
