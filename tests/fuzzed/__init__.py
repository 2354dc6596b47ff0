"""Damages files of every kind that strangers may write, and has the product read them.

Each kind has seeds, which are whole, and a reader. A reader refuses a damaged file with one of its
own errors. It fails with any other error, where it takes too long or too much memory, and where it
changes a file outside of its folder. ``scripts/fuzz`` runs it.
"""
