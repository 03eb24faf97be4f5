"""Our own server over one's own data, as a process of its own: a SPARQL endpoint for tests."""

import re
import subprocess
import sys
from contextlib import contextmanager


@contextmanager
def serving(file):
    """The address of the endpoint of ``foedus serve --data`` over *file*."""
    command = [sys.executable, "-m", "foedus", "serve", "--port", "0", "--workers", "2", "--data", str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        said = process.stderr.readline()
        found = re.search(r"http://\S+/", said)
        assert found, said
        yield f"{found[0]}sparql"
        process.terminate()
        process.communicate()
