"""Data, no code: targets, prices, known packages, JSON schemas, the page's template."""
