"""Load on a deployed stack: `python -m benchmarks.load`, by `make load`."""
