"""What one container of a function can do: `python -m benchmarks.capacity`."""
