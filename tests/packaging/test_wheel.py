"""The wheel carries everything that ztosc reads, and works far from any checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
DATA = {"grammar": "grammar", "stdlib": "stdlib", "targets": "targets", "diagnostics": "docs/diagnostics"}


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed, run without what this environment would lend it."""
    lent = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    env = {name: value for name, value in os.environ.items() if name not in lent}
    result = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{command} exited with {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def built(kind: str, source: Path, out: Path) -> Path:
    """The wheel or the sdist of a source tree."""
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", out, cwd=source)
    [artifact] = out.iterdir()
    return artifact


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", CHECKOUT, tmp_path_factory.mktemp("wheel"))


def test_it_carries_the_data_byte_for_byte(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        carried = {name: archive.read(name) for name in archive.namelist() if name.startswith("ztosc/_data/")}
    expected = {
        f"ztosc/_data/{inside}/{path.relative_to(CHECKOUT / beside).as_posix()}": path.read_bytes()
        for inside, beside in DATA.items()
        for path in (CHECKOUT / beside).rglob("*")
        if path.is_file()
    }
    assert carried == expected


def test_it_is_typed_and_licensed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "ztosc/py.typed" in names
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]


def test_the_sdist_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(built("sdist", CHECKOUT, tmp_path / "sdist")) as archive:
        filtered = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Debian's Python 3.11.2 knows no filter yet
        archive.extractall(tmp_path / "unpacked", **filtered)  # type: ignore[arg-type]
    [source] = (tmp_path / "unpacked").iterdir()
    again = built("wheel", source, tmp_path / "again")
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert {(entry.filename, entry.CRC) for entry in first.infolist()} == {(entry.filename, entry.CRC) for entry in second.infolist()}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a new environment with the wheel in it, which borrows the dependencies of this one but not its `ztosc`."""
    root = tmp_path_factory.mktemp("installed") / "env"
    venv.create(root, with_pip=False, symlinks=True)
    python = root / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=root)
    # A folder added by a .pth comes last, and the .pth files in it, the editable install's among them, are not read.
    borrowed = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    purelib = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=root).strip()
    Path(purelib, "borrowed.pth").write_text("\n".join(borrowed) + "\n")
    found = run(python, "-c", "import ztosc; print(ztosc.__file__)", cwd=root).strip()
    assert Path(found).is_relative_to(root), f"ztosc comes from {found}, not from the wheel"
    return root / "bin"


def test_it_says_its_version(installed: Path, tmp_path: Path) -> None:
    code = "import importlib.metadata, ztosc; assert importlib.metadata.version('ztosc') == ztosc.__version__; print(ztosc.__version__)"
    version = run(installed / "python", "-c", code, cwd=tmp_path).strip()
    assert version in run(installed / "ztosc", "version", cwd=tmp_path)


def test_it_builds_the_hospital(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "examples" / "hospital", tmp_path / "hospital")
    run(installed / "ztosc", "build", "hospital", "-o", "out", "--locked", cwd=tmp_path)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["files"]
    assert all((tmp_path / "out" / entry["path"]).is_file() for entry in manifest["files"])
