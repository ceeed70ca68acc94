"""A folder as Lambda has it at /var/task."""
