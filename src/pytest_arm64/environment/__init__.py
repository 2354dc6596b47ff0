"""Phase 2: does it install in the real base image?"""
