"""How fast the service is, compared with the alternatives, and how it behaves under load."""
