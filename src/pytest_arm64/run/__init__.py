"""Phase 3, a whole run: services one after another, cells, gates, and what is kept of them."""
