"""ARM advisories: what is known to be wrong with released packages on ARM64, and where."""
