"""Everything that touches the container engine and emulation."""
