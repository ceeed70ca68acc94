"""What the bundle can carry: load, one container's capacity, and the arithmetic of growth."""
