"""How fast the service is: `python -m benchmarks.speed`."""
