"""One pytest session in a cell, shown on the host: transport, frames, session, reconciliation."""
