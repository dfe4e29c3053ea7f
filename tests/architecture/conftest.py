"""What every test of the house asks for: the checkout, and the files that are or would be committed."""

import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the repository."""
    return CHECKOUT


@pytest.fixture(scope="session")
def committed() -> list[str]:
    """Every path git knows, and every new one that it would not ignore, relative to the root."""
    if not shutil.which("git") or not (CHECKOUT / ".git").exists():
        pytest.skip("not a git checkout: there is no list of what is committed")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(listing, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    return sorted({name for name in out.split("\0") if name and (CHECKOUT / name).is_file()})
