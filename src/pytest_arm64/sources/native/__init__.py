"""Reads C, C++, Cython, Rust and build files for places that assume x86; nothing is compiled."""
