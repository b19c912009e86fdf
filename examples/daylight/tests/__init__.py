"""Where the tests find the skill, its packages, and the types that the build has made."""

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
if not (_ROOT / "build/bindings/wit_world").is_dir():
    raise SystemExit("the types of wit/ are not there yet: hall build")
sys.path[:0] = [str(_ROOT / "src"), str(_ROOT / "build/packages"), str(_ROOT / "build/bindings")]
