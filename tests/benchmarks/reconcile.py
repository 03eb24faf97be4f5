"""How long a batch of ten takes: ``python tests/benchmarks/reconcile.py``.

A server of its own answers batches of ten names that are drawn, by a fixed seed, from the list on which reconciliation
is measured, over one kept-open connection: bare names, then with a type, then with a membership on a day, too. Printed
are milliseconds of the median and of the 95th percentile, as the client sees them, and the milliseconds of CPU that the
server spent on a batch. The goal is 50 ms for the 95th percentile on a quiet machine.
"""

import argparse
import contextlib
import csv
import http.client
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).parents[2]
NAMES = ROOT / "tests" / "reconcile" / "names.csv"
GOAL = 50.0
TOGETHER = 10

WAYS: dict[str, dict[str, object]] = {
    "name": {},
    "name, type": {"type": "State"},
    "name, type, member on a day": {
        "type": "State",
        "properties": [{"pid": "memberOf", "v": "NATO"}, {"pid": "on", "v": "1999-03-12"}],
    },
}


def batches(count: int, beside: dict[str, object]) -> Iterator[dict[str, dict[str, object]]]:
    """*count* batches of names, each query with what stands *beside* the name."""
    with NAMES.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    random.Random(2022).shuffle(texts)
    for number in range(count):
        some = [texts[(number * TOGETHER + place) % len(texts)] for place in range(TOGETHER)]
        yield {f"q{place}": {"query": text, **beside} for place, text in enumerate(some)}


@contextlib.contextmanager
def server() -> Iterator[tuple[int, int]]:
    """A server on a free port: the port, and its process."""
    command = [sys.executable, "-m", "foedus", "serve", "--port", "0", "--log", "off"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
        try:
            for line in running.stderr or ():
                if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                    yield int(found[1]), running.pid
                    return
            raise SystemExit("The server did not start.")
        finally:
            running.terminate()


def cpu(process: int) -> float:
    """Milliseconds of CPU that *process* has used, without its children."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def measure(port: int, process: int, count: int, beside: dict[str, object]) -> tuple[list[float], float]:
    """Milliseconds of each batch, sorted, and those of CPU for a batch."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.connect()
    # Head and body are two packets here; the second one would wait for word on the first.
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    taken, before = [], cpu(process)
    for each in batches(count, beside):
        body = urlencode({"queries": json.dumps(each)})
        began = time.perf_counter()
        connection.request("POST", "/reconcile", body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        content = answer.read()
        taken.append(1000 * (time.perf_counter() - began))
        if answer.status != 200 or len(json.loads(content)) != TOGETHER:
            raise SystemExit(f"Answered with {answer.status}: {content[:200]!r}")
    return sorted(taken), (cpu(process) - before) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=250, help="batches for each way of asking")
    chosen = parser.parse_args()
    with server() as (port, process):
        began = time.perf_counter()
        http.client.HTTPConnection("127.0.0.1", port).request("GET", "/reconcile")
        measure(port, process, 1, {})
        print(f"first answer, with all names fetched: {time.perf_counter() - began:.2f} s")
        print(f"{'batches of ten':30}{'p50 ms':>8}{'p95 ms':>8}{'CPU ms':>8}")
        for way, beside in WAYS.items():
            taken, used = measure(port, process, chosen.batches, beside)
            slow = taken[int(0.95 * len(taken))]
            verdict = "" if slow < GOAL else f"  over the goal of {GOAL:g}"
            print(f"{way:30}{statistics.median(taken):8.1f}{slow:8.1f}{used:8.1f}{verdict}")


if __name__ == "__main__":
    main()
