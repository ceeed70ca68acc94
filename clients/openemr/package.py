"""Packs the module of OpenEMR with the PHP SDK: `make openemr-module`."""

import hashlib
import sys
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

MODULE = Path(__file__).with_name("oe-module-jitsi-tokens")
_SDK = Path(__file__).parent.with_name("php")


def files() -> dict[str, Path]:
    """Return every file, by its name below OpenEMR's folder of modules."""
    found = {file.relative_to(MODULE): file for file in MODULE.rglob("*")}
    for file in (_SDK / "LICENSE", *(_SDK / "src").rglob("*.php")):
        found[Path("jitsi-tokens") / file.relative_to(_SDK)] = file
    return {
        f"{MODULE.name}/{name.as_posix()}": file
        for name, file in sorted(found.items())
        if file.is_file()
    }


def pack(archive: Path) -> None:
    """Write the archive: the same bytes each time, wherever it is made."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for name, file in files().items():
            content = file.read_bytes()
            entry = zipfile.ZipInfo(name, _date_of(content).timetuple()[:6])
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            target.writestr(entry, content)


def _date_of(content: bytes) -> datetime:
    """Return a date that another content does not have: PHP's OPcache looks at nothing else."""
    digest = hashlib.sha256(content).digest()
    return datetime(1990, 1, 1) + timedelta(seconds=int.from_bytes(digest[:4], "big") // 8)  # noqa: DTZ001


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
