"""Builds the component: build/skill.wasm. Needs Python 3.11 or newer; what else it needs comes from PyPI into .venv, pinned by hash.

    python3 build.py             the component
    python3 build.py bindings    only the types, for editors and tests
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BUILD = ROOT / "build"
TOOLS = ROOT / "requirements-build.txt"
PACKAGES = ROOT / "requirements.txt"


def main():
    if sys.version_info < (3, 11):
        sys.exit(f"Python 3.11 or newer is needed, and this is {sys.version.split()[0]}")
    os.chdir(ROOT)
    BUILD.mkdir(exist_ok=True)
    once(TOOLS, VENV, tools)
    once(PACKAGES, BUILD / "packages", packages)
    shutil.rmtree(BUILD / "bindings", ignore_errors=True)
    componentize("bindings", "build/bindings")
    if sys.argv[1:] == ["bindings"]:
        return
    # What was built of the same files is not built again.
    digest, stamp, component = sources(), BUILD / "skill.made-of", BUILD / "skill.wasm"
    if component.is_file() and stamp.is_file() and stamp.read_text() == digest:
        return
    stamp.unlink(missing_ok=True)
    componentize("componentize", "app", "-p", "src", "-p", "build/packages", "-o", str(component))
    stamp.write_text(digest)


def sources():
    """A digest of all that goes into the component."""
    files = [TOOLS, PACKAGES, Path(__file__), *Path("src").rglob("*"), *Path("wit").rglob("*")]
    digest = hashlib.sha256()
    for file in sorted(file for file in files if file.is_file() and file.suffix != ".pyc"):
        digest.update(f"{file}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def once(wanted, folder, make):
    """Makes a folder anew if it was made for another list."""
    digest = hashlib.sha256(wanted.read_bytes() + str(folder).encode() + sys.version.encode()).hexdigest()
    stamp = folder / "made-for"
    if stamp.is_file() and stamp.read_text() == digest:
        return
    shutil.rmtree(folder, ignore_errors=True)
    make(folder)
    stamp.write_text(digest)


def tools(folder):
    made = subprocess.run([sys.executable, "-m", "venv", str(folder)])
    if made.returncode != 0:
        sys.exit("Python's module venv is needed (on Debian and Ubuntu: apt install python3-venv)")
    pip("--require-hashes", "--only-binary", ":all:", "-r", str(TOOLS))


def packages(folder):
    folder.mkdir()
    lines = [line.split("#")[0].strip() for line in PACKAGES.read_text().splitlines()]
    if any(lines):
        # Only packages in pure Python run in a component.
        pure = ["--only-binary", ":all:", "--platform", "any", "--implementation", "py", "--abi", "none"]
        pip("--require-hashes", *pure, "--target", str(folder), "-r", str(PACKAGES))


def pip(*arguments):
    run(VENV / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", *arguments)


def componentize(verb, *arguments):
    # Packages come from build/packages alone, not from whatever environment this runs in.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    run(VENV / "bin/componentize-py", "-q", "-d", "wit", "-w", "skill", verb, *arguments, env=environment)


def run(*command, **options):
    status = subprocess.run([str(part) for part in command], **options).returncode
    if status != 0:
        sys.exit(f"{Path(command[0]).name} failed ({status})")


if __name__ == "__main__":
    main()
