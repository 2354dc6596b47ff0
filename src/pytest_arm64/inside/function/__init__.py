"""A Lambda function, called as Lambda calls it: through a stand-in of the Runtime API.

Loaded on the host and in a cell: standard library and relative imports only, Python 3.9 and newer.
"""
