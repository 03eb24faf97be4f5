"""The showing side: a Flask application around a pool."""

from flask import Flask

from foedus.query.pool import Asker
from foedus.web import headers, problems, protocol


def create_app(pool: Asker) -> Flask:
    """The application that answers from *pool*, which the caller has started."""
    app = Flask(__name__)
    protocol.register(app, pool)
    problems.register(app)
    headers.register(app)
    return app
