"""What is loaded inside a cell: standard library and pytest only, relative imports only."""
