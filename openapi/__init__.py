"""docs/openapi.yaml, generated from the types that the service reads and answers with."""
