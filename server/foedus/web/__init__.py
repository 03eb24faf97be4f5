"""The web side: pages for readers, data for programs, and the SPARQL endpoint, all in front of one pool."""

from dataclasses import dataclass

from flask import Flask

from foedus import __version__, names, questions
from foedus.query.pool import Asker
from foedus.web import asking, dates, describe, entities, explore, headers, metrics, problems, protocol
from foedus.web.asking import Library
from foedus.web.desk import Desk, Network
from foedus.web.metrics import Metrics
from foedus.web.shelf import Shelf, shelf
from foedus.web.watching import Journal, Watch, Watched

HOME_EXAMPLE = "obliged-by"


@dataclass(frozen=True)
class Settings:
    """What an operator may choose.

    *home_example* is the slug of the question that the home page answers; *proxies* are the addresses whose
    ``X-Forwarded-For`` counts; *journal*, where there is one, gets a line for each request.
    """

    home_example: str = HOME_EXAMPLE
    proxies: tuple[Network, ...] = ()
    journal: Journal | None = None


def create_app(pool: Asker, settings: Settings | None = None) -> Flask:
    """The app that shows what *pool* answers; CannotRead if a stored question is faulty."""
    chosen = settings or Settings()
    app = Flask(__name__)
    counts = Metrics()
    asker = Watched(pool, counts)
    app.extensions["foedus-shelf"] = Shelf(
        Library(Desk(asker, True, chosen.proxies)), questions.catalogue(), chosen.home_example
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["in_words"] = dates.in_words
    app.jinja_env.filters["machine_date"] = dates.machine
    app.jinja_env.filters["curie"] = names.curie
    app.jinja_env.filters["page_address"] = describe.page
    app.jinja_env.filters["query_address"] = describe.query_address
    app.jinja_env.filters["without_head"] = asking.without_head
    app.context_processor(lambda: {"version": __version__, "as_of": shelf().as_of, "dataset": pool.dataset})
    app.register_blueprint(explore.bp)
    app.register_blueprint(entities.bp)
    protocol.register(app, Desk(asker, False, chosen.proxies))
    problems.register(app)
    headers.register(app)
    metrics.register(app, counts, pool)
    app.wsgi_app = Watch(app.wsgi_app, counts, chosen.journal)  # type: ignore[method-assign]
    return app
