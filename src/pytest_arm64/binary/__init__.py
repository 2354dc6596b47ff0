"""What compiled files ask of the system that loads them."""
