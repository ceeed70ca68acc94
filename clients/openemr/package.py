"""Packs the module of OpenEMR with the PHP SDK: `make openemr-module`."""

import sys
import zipfile
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
            entry = zipfile.ZipInfo(name)  # of 1980
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            target.writestr(entry, file.read_bytes())


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
