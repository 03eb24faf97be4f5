"""The web server that ours chose, with a Flask app that answers with nothing: the rate that no answer can exceed."""

import sys

from flask import Flask, Response

from foedus.query.limits import Limits
from foedus.web.serving import listen, run


def create_app() -> Flask:
    """An app whose every GET of ``/`` has an empty answer."""
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: Response(b""))
    return app


if __name__ == "__main__":
    with listen("127.0.0.1", int(sys.argv[1])) as listening:
        run(create_app(), listening, lambda: None, Limits())
