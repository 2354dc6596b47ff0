"""What `pytest-arm64 setup --init` proposes: services, and the places that pin x86."""
