"""The engines: how each is loaded, started on loopback, and stopped; how much memory it takes."""

import contextlib
import functools
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PEERS = ROOT / ".venv" / "bench"
"""The virtual environment of the engines that come as Python packages; made by `peers` when first needed."""
CORPUS = ROOT / "tests" / "attacks" / "corpus"
NGINX = ROOT / "server" / "deploy" / "nginx.conf"
PATIENCE = 180.0
"""Seconds that an engine may take to start."""


@dataclass(frozen=True)
class Data:
    """The statements that every engine gets: as N-Quads and, each once, as N-Triples.

    *home* is the folder of a built dataset where the statements are one.
    """

    name: str
    nquads: Path
    ntriples: Path
    count: int
    home: Path | None = None


@dataclass
class Running:
    """An engine that answers at *path* of *port*; *stored* where it knows our stored questions by address."""

    port: int
    path: str
    process: subprocess.Popen[bytes]
    started: float
    """Seconds from the start of its process to its first answer."""
    stored: bool = False

    def get(self, target: str, accept: str, timeout: float = 120.0) -> tuple[int, bytes]:
        """Status and body of *target*."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", target, headers={"Accept": accept})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def memory(self) -> int:
        """Bytes that its processes hold, each shared page counted once (PSS)."""
        return sum(_pss(each) for each in _family(self.process.pid))

    def settle(self, patience: float = 10.0) -> None:
        """Wait until it has stopped working for clients that have left; *patience* seconds at most."""
        until = time.perf_counter() + patience
        before = _ticks(self.process.pid)
        while time.perf_counter() < until:
            time.sleep(0.05)
            now = _ticks(self.process.pid)
            if now - before <= 1:
                return
            before = now


class Engine:
    """How an engine is had; *missing* says in a line what it lacks on this machine, "" if nothing."""

    name = ""
    stored = False

    def missing(self) -> str:
        return ""

    def start(self, data: Data, scratch: Path) -> "contextlib.AbstractContextManager[Running]":
        """The engine with *data* loaded, running until the context ends; *scratch* is an empty folder for its files."""
        raise NotImplementedError


class Foedus(Engine):
    """Our server. Statements that are no built dataset are served with ``--data``."""

    name = "foedus"
    stored = True

    def __init__(self, *options: str, name: str = "foedus") -> None:
        self.options = options
        self.name = name

    @contextmanager
    def start(self, data: Data, scratch: Path) -> Iterator[Running]:
        port = free_port()
        command = [sys.executable, "-m", "foedus", "serve", "--port", str(port), *_quiet(), *self.options]
        environment = {**os.environ, "FOEDUS_HOME": str(data.home or scratch)}
        if not data.home:
            command += ["--data", str(data.nquads)]
        with _running(command, port, "/sparql", scratch, environment) as running:
            running.stored = True
            yield running


class EmptyResponse(Engine):
    """The web server that ours chose, and Flask, with an app that answers with nothing."""

    name = "empty"

    @contextmanager
    def start(self, data: Data, scratch: Path) -> Iterator[Running]:
        port = free_port()
        with _running([sys.executable, str(HERE / "empty.py"), str(port)], port, "/", scratch) as running:
            yield running


class Nginx(Engine):
    """nginx with the shipped configuration in front of *behind*, only its addresses and folders changed."""

    name = "nginx"
    stored = True

    def __init__(self, behind: Running | None = None) -> None:
        self.behind = behind

    def missing(self) -> str:
        return "" if shutil.which("nginx") else "nginx is not installed (Debian: nginx-light)"

    @contextmanager
    def start(self, data: Data, scratch: Path) -> Iterator[Running]:
        port = free_port()
        site = NGINX.read_text()
        for shipped, here in (
            ("listen 80;", f"listen 127.0.0.1:{port};"),
            ("listen [::]:80;", ""),
            ("server 127.0.0.1:8000;", f"server 127.0.0.1:{self.behind.port};"),
            ("/var/cache/nginx/foedus", str(scratch / "cache")),
        ):
            if shipped not in site:
                raise SystemExit(f"{NGINX} no longer says “{shipped}”")
            site = site.replace(shipped, here)
        (scratch / "foedus.conf").write_text(site)
        folders = "".join(
            f"{kind}_temp_path {scratch / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        whole = scratch / "nginx.conf"
        whole.write_text(
            f"daemon off;\nworker_processes auto;\npid {scratch / 'nginx.pid'};\nerror_log {scratch / 'error.log'};\n"
            f"events {{ worker_connections 1024; }}\n"
            f"http {{\naccess_log off;\nkeepalive_requests 1000000000;\n{folders}"
            f"include {scratch / 'foedus.conf'};\n}}\n"
        )
        if os.geteuid() == 0:
            # Its workers give up root's rights; the scratch folder is ours alone.
            whole.write_text("user root;\n" + whole.read_text())
        with _running(["nginx", "-p", str(scratch), "-c", str(whole)], port, "/sparql", scratch) as running:
            running.stored = True
            yield running


class Oxigraph(Engine):
    """The ``oxigraph`` server with its store in memory, as ours is; on disk, optimised, it is half as fast and less."""

    name = "oxigraph"

    def missing(self) -> str:
        return peers()

    @contextmanager
    def start(self, data: Data, scratch: Path) -> Iterator[Running]:
        program, port = str(PEERS / "bin" / "oxigraph"), free_port()
        with _running([program, "serve", "--bind", f"127.0.0.1:{port}"], port, "/query", scratch) as running:
            begun = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            with data.ntriples.open("rb") as triples:
                size = {"Content-Type": "application/n-triples", "Content-Length": str(data.ntriples.stat().st_size)}
                connection.request("PUT", "/store?default", triples, size)
                answer = connection.getresponse()
            connection.close()
            if answer.status not in (201, 204):
                raise SystemExit(f"oxigraph does not take the triples: {answer.status}")
            running.started += time.perf_counter() - begun
            yield running


class RdflibEndpoint(Engine):
    """``rdflib-endpoint`` with its default store."""

    name = "rdflib-endpoint"

    def missing(self) -> str:
        return peers()

    @contextmanager
    def start(self, data: Data, scratch: Path) -> Iterator[Running]:
        port = free_port()
        command = [str(PEERS / "bin" / "rdflib-endpoint"), "serve", "--host", "127.0.0.1", "--port", str(port)]
        with _running([*command, str(data.ntriples)], port, "/", scratch) as running:
            yield running


class Virtuoso(Engine):
    """OpenLink Virtuoso as Debian packages it, with the buffers that its manual advises for 2 GB."""

    name = "virtuoso"

    def missing(self) -> str:
        found = shutil.which("virtuoso-t") and shutil.which("isql-vt")
        return "" if found else "Virtuoso is not installed (Debian: virtuoso-opensource)"

    @contextmanager
    def start(self, data: Data, scratch: Path) -> Iterator[Running]:
        port, sql = free_port(), free_port()
        configuration = scratch / "virtuoso.ini"
        configuration.write_text(_VIRTUOSO.format(scratch=scratch, port=port, sql=sql, allowed=data.ntriples.parent))
        command = ["virtuoso-t", "+foreground", "+configfile", str(configuration)]
        # Without the graph it would count what it says of itself among ours.
        path = f"/sparql?default-graph-uri={_VIRTUOSO_GRAPH}"
        with _running(command, port, path, scratch):
            load = f"DB.DBA.TTLP_MT(file_open('{data.ntriples}'), '', '{_VIRTUOSO_GRAPH}', 255, 2);"
            _do(["isql-vt", f"127.0.0.1:{sql}", "dba", "dba", f"exec={load} checkpoint;"])
        # Started anew: loading leaves it with memory and statistics that a server in use has not.
        with _running(command, port, path, scratch) as running:
            yield running


_VIRTUOSO_GRAPH = "urn:bench"
_VIRTUOSO = """
[Database]
DatabaseFile = {scratch}/virtuoso.db
ErrorLogFile = {scratch}/virtuoso.log
LockFile = {scratch}/virtuoso.lck
TransactionFile = {scratch}/virtuoso.trx
xa_persistent_file = {scratch}/virtuoso.pxa
[TempDatabase]
DatabaseFile = {scratch}/virtuoso-temp.db
TransactionFile = {scratch}/virtuoso-temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
ServerThreads = 100
DirsAllowed = {allowed}
NumberOfBuffers = 170000
MaxDirtyBuffers = 130000
[HTTPServer]
ServerPort = 127.0.0.1:{port}
ServerThreads = 80
KeepAliveTimeout = 60
MaxKeepAlives = 80
[SPARQL]
ResultSetMaxRows = 10000000
"""


@functools.cache
def _help() -> str:
    """What ``foedus serve --help`` says."""
    command = [sys.executable, "-m", "foedus", "serve", "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def without_cache() -> tuple[str, ...]:
    """The options with which our server keeps no answers; none while it has no cache to switch off."""
    found = re.search(r"--(?:no-cache|cache(?:-limit|-size)?)\b", _help())
    return () if found is None else (found[0],) if found[0] == "--no-cache" else (found[0], "0")


def _quiet() -> tuple[str, ...]:
    """Like the others, ours keeps no log here; the proxy is believed when it says who asks."""
    wanted = (("--log", "off"), ("--trusted-proxy", "127.0.0.1"))
    return tuple(word for option in wanted if option[0] in _help() for word in option)


@functools.cache
def peers() -> str:
    """Make the virtual environment of the engines that are Python packages; in a line, why it cannot be made."""
    wanted, stamp = HERE / "requirements.lock", PEERS / "requirements.lock"
    if stamp.exists() and stamp.read_bytes() == wanted.read_bytes():
        return ""
    print(f"Installing what is compared with into {PEERS.relative_to(ROOT)}.", file=sys.stderr)
    try:
        _do([sys.executable, "-m", "venv", "--clear", str(PEERS)])
        pip = [str(PEERS / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        _do([*pip, "install", "--require-hashes", "-r", str(wanted)])
    except SystemExit as error:
        return str(error)
    shutil.copy(wanted, stamp)
    return ""


def with_query(path: str, text: str) -> str:
    """The address of a query by the SPARQL Protocol."""
    return f"{path}{'&' if '?' in path else '?'}{urllib.parse.urlencode({'query': text})}"


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _do(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise SystemExit(f"{' '.join(command[:3])} failed: {''.join(said)}")


@contextmanager
def _running(
    command: list[str], port: int, path: str, scratch: Path, environment: dict[str, str] | None = None
) -> Iterator[Running]:
    """*command* as a process group of its own, from its first answer until the context ends."""
    begun = time.perf_counter()
    log = (scratch / "log").open("ab")
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
    )
    running = Running(port, path, process, 0.0)
    try:
        _first_answer(running, begun, scratch / "log")
        running.started = time.perf_counter() - begun
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def _first_answer(running: Running, begun: float, log: Path) -> None:
    target = with_query(running.path, "ASK {}")
    while True:
        if running.process.poll() is not None or time.perf_counter() - begun > PATIENCE:
            said = log.read_text(errors="replace").strip().splitlines()[-3:]
            raise SystemExit(f"{running.process.args[0]} does not answer: {' '.join(said)}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            if running.get(target, "application/sparql-results+json")[0] in (200, 204):
                return
        time.sleep(0.01)


def _family(pid: int) -> list[int]:
    """The process *pid* and all that descend from it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                # The name, in brackets, may hold anything; the parent is the second field behind it.
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(folder.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def _ticks(pid: int) -> int:
    """The processor time that the process *pid* and its descendants have used, in the kernel's ticks."""
    used = 0
    for each in _family(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            used += int(fields[11]) + int(fields[12])
    return used


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError):
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
        return int(found[1]) * 1024 if found else 0
    return 0


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder that goes when the context ends."""
    with tempfile.TemporaryDirectory(prefix="foedus-bench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
