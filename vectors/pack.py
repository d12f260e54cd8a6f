"""Pack the vectors with their ports into one archive, the same bytes each time: `python vectors/pack.py FOLDER`."""

from __future__ import annotations

import gzip
import io
import json
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).parent


def main(folder: Path) -> None:
    """Write `undersign-vectors-VERSION.tar.gz` into the folder and print where it is."""
    name = f"undersign-vectors-{json.loads((HERE / 'gotom.json').read_text(encoding='utf-8'))['version']}"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        patterns = ("*.json", "presets/*.json", "*.md", "*.php", "ports/**/*")
        files = [path for pattern in patterns for path in HERE.glob(pattern) if path.is_file()]
        for path in [HERE.parent / "LICENSE", *sorted(files)]:
            content = path.read_bytes()
            member = tarfile.TarInfo(f"{name}/{path.relative_to(HERE) if HERE in path.parents else path.name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.tar.gz"
    target.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
