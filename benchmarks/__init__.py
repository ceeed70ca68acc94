"""How fast the service is, what a stack carries, and the arithmetic of growth."""
