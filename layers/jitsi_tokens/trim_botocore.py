"""Makes botocore's data smaller: `trim_botocore.py <data folder> <service> …`, run by the Makefile.

Every client parses `endpoints.json` (1.2 MB for all of AWS) and its service's model, most of which
is documentation: docs/performance.md has what that costs a cold start.
"""

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Keep what is needed to speak to the services that are named."""
    data, services = Path(sys.argv[1]), set(sys.argv[2:])
    for folder in (entry for entry in data.iterdir() if entry.is_dir()):
        if folder.name not in services:
            shutil.rmtree(folder)
    if missing := services - {entry.name for entry in data.iterdir()}:
        sys.exit(f"botocore has no data of: {', '.join(sorted(missing))}")
    for examples in data.rglob("examples-1.json"):
        examples.unlink()
    for model in data.rglob("service-2.json.gz"):
        text = json.dumps(without_documentation(json.loads(gzip.decompress(model.read_bytes()))))
        # Not compressed: that saves nothing but the layer's size, and costs time.
        model.with_suffix("").write_text(text)
        model.unlink()
    endpoints = data / "endpoints.json"
    text = json.dumps(with_endpoints_of(services, json.loads(endpoints.read_text())))
    endpoints.write_text(text)


def without_documentation(value: Any) -> Any:
    """Return a model without the texts that only people read.

    A member of a shape may be named `documentation` too: it is no text.
    """
    if isinstance(value, dict):
        return {
            name: without_documentation(content)
            for name, content in value.items()
            if not (name == "documentation" and isinstance(content, str))
        }
    if isinstance(value, list):
        return [without_documentation(item) for item in value]
    return value


def with_endpoints_of(services: set[str], endpoints: dict[str, Any]) -> dict[str, Any]:
    """Return the endpoints of these services alone, in every partition of AWS."""
    for partition in endpoints["partitions"]:
        known = partition["services"]
        partition["services"] = {name: known[name] for name in known if name in services}
    return endpoints


if __name__ == "__main__":
    main()
