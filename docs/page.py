"""The page for the documentation: that of the package, with Python beside it instead of a server behind it.

`make docs` calls it, and `make page` builds the page alone, into build/page, where the tests look for it. Pyodide comes
from npm once, into build/pyodide, and is held to the checksum below.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from base64 import b64encode
from importlib.metadata import files
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PYODIDE = "314.0.7"
_SHA512 = "0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A=="
_WANTED = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
_DISTRIBUTIONS = ("h11", "typing_extensions")  # what undersign.playground imports besides the standard library
_NOT_PYTHON = ("__pycache__", "page")
_SAME_TIME = (1980, 1, 1, 0, 0, 0)


def build(folder: Path) -> None:
    """Put the page into the folder, whole: it works wherever that is served over HTTP, and loads nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "src" / "undersign" / "playground" / "page", folder)
    for path in (ROOT / "docs" / "playground").iterdir():
        shutil.copy(path, folder)
    shutil.copytree(pyodide(), folder / "pyodide")
    _bundle(folder / "python.zip")


def pyodide() -> Path:
    """The folder of Pyodide's files, fetched where it is not there yet."""
    folder = ROOT / "build" / "pyodide" / PYODIDE
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is needed to fetch Pyodide, which the page of the documentation runs Python on")
    subprocess.run([npm, "pack", "--silent", f"pyodide@{PYODIDE}"], cwd=folder.parent, check=True, stdout=sys.stderr)
    archive = folder.parent / f"pyodide-{PYODIDE}.tgz"
    found = b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != _SHA512:
        raise SystemExit(f"Pyodide {PYODIDE} is not the one that is known: sha512-{found}")
    unpacked = folder.with_suffix(".new")
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir()
    with tarfile.open(archive) as tar:
        for name in _WANTED:
            member = tar.extractfile(f"package/{name}")
            assert member is not None  # noqa: S101
            (unpacked / name).write_bytes(member.read())
    unpacked.rename(folder)
    return folder


def _bundle(path: Path) -> None:
    """undersign as its wheel has it, and what it imports, in one archive that is the same for the same files."""
    found = {
        file.relative_to(ROOT / "src").as_posix(): file
        for file in (ROOT / "src" / "undersign").rglob("*")
        if file.is_file() and not set(file.parts) & set(_NOT_PYTHON)
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for source, target in project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"].items():
        place = ROOT / source
        for file in [place] if place.is_file() else [each for each in place.rglob("*") if each.is_file()]:
            found[f"{target}/{file.relative_to(place).as_posix()}".removesuffix("/.")] = file
    for distribution in _DISTRIBUTIONS:
        for entry in files(distribution) or []:
            if entry.suffix in (".py", ".typed", ".pyi") and "tests" not in entry.parts:
                found[entry.as_posix()] = Path(str(entry.locate()))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in sorted(found.items()):
            archive.writestr(zipfile.ZipInfo(name, _SAME_TIME), file.read_bytes(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
