"""What is installed is the whole product: content and all, from a wheel that was made from the sdist."""

import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTENT = ("ontology", "shapes", "data")


@pytest.fixture(scope="module")
def distributions(tmp_path_factory) -> Path:
    """A folder with the sdist and the wheel built from it."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return out


@pytest.fixture(scope="module")
def installed(distributions, tmp_path_factory) -> Path:
    """The ``bin`` folder of a fresh venv that holds only the wheel; its dependencies are borrowed from ours."""
    venv = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    python = venv / "bin" / "python"
    wheel = next(distributions.glob("*.whl"))
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    # A path line in a .pth file is searched, but .pth files inside it, our editable install's among them, are not read.
    (Path(site.stdout.strip()) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv / "bin"


def content_files() -> set[str]:
    tracked = subprocess.run(["git", "ls-files", *CONTENT], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(tracked.stdout.split())


def test_the_wheel_holds_every_content_file(distributions):
    """Ontology, shapes and data travel inside the package, each file at its place."""
    wheel = next(distributions.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        inside = {n.removeprefix("foedus/_content/") for n in archive.namelist() if n.startswith("foedus/_content/")}
        pages = {n for n in archive.namelist() if n.startswith("foedus/web/")}
    assert content_files() and content_files() <= inside
    assert any(name.endswith("app.css") for name in pages)
    assert any(name.endswith(".html") for name in pages)


def test_the_sdist_holds_what_a_build_needs(distributions):
    """The source archive has the build file, the licence, the tests and the content, and no built dataset."""
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "Makefile", "tests/test_packaging.py"} <= inside
    assert content_files() <= inside
    assert not any(name.startswith((".venv", ".foedus")) for name in inside)


def test_an_installed_wheel_builds_and_answers(installed, tmp_path):
    """Outside any checkout the installed command builds its dataset into the user's cache and answers from it."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    command = [installed / "foedus", "ask", "members-on", "alliance=csto", "date=2022-09-13", "--csv"]
    shown = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count(",certain,") == 6
    assert list((tmp_path / ".cache" / "foedus").glob("*/manifest.json"))


def test_the_editable_install_reads_the_checkout():
    """In a checkout the content is the working tree's, so that an edit takes effect at once."""
    from foedus import files

    assert files.ROOT == ROOT
