"""Classifies textures with a small network; the work before it is what costs."""
