"""The web side: pages for readers, data for programs, and the SPARQL endpoint, all in front of one pool."""

from dataclasses import dataclass
from typing import cast

from flask import Flask

from foedus import __version__, dates, names, questions
from foedus.query.cache import Cache
from foedus.query.kept import Kept
from foedus.query.pool import Asker
from foedus.web import (
    cite,
    describe,
    endpoint,
    entities,
    explore,
    fragments,
    headers,
    health,
    machines,
    metrics,
    problems,
    reconcile,
    signposting,
    turns,
    validate,
    why,
)
from foedus.web.asking import Library
from foedus.web.checking import Bench
from foedus.web.desk import Desk, Network
from foedus.web.lane import Lane
from foedus.web.metrics import Metrics
from foedus.web.shelf import Shelf, shelf
from foedus.web.watching import Journal, Register, Watch, Watched

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
    open_desk, reserved_desk = (Desk(asker, is_reserved, chosen.proxies) for is_reserved in (False, True))
    stored = questions.catalogue()
    app.extensions["foedus-shelf"] = Shelf(Library(reserved_desk), stored, chosen.home_example, reserved_desk.home)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["in_words"] = dates.in_words
    app.jinja_env.filters["machine_date"] = dates.machine
    app.jinja_env.filters["curie"] = names.curie
    app.jinja_env.filters["page_address"] = describe.page
    app.jinja_env.filters["query_address"] = describe.query_address
    app.jinja_env.filters["without_head"] = questions.without_head
    app.context_processor(lambda: {"version": __version__, "as_of": shelf().as_of, "dataset": pool.dataset})
    app.register_blueprint(explore.bp)
    app.register_blueprint(cite.bp)
    app.register_blueprint(entities.bp)
    app.register_blueprint(fragments.bp)
    app.register_blueprint(health.bp)
    app.register_blueprint(reconcile.bp)
    app.register_blueprint(why.bp)
    answering = endpoint.register(app, open_desk, reserved_desk, stored)
    problems.register(app)
    headers.register(app)
    signposting.register(app)
    machines.register(app)
    app.extensions[turns.PROXIES] = chosen.proxies
    validate.register(app, Bench())
    metrics.register(app, counts, pool)
    register = Register(counts, chosen.journal)
    app.wsgi_app = Watch(app.wsgi_app, register)  # type: ignore[method-assign]
    # Without a cache there is no room for whole requests either.
    kept = pool.kept if isinstance(pool, Cache) else Kept(0)
    app.extensions["foedus-lane"] = Lane(answering, pool, kept, register)
    return app


def lane_of(app: Flask) -> Lane:
    """What answers requests of programs in place of *app*, where it can do so in less time."""
    return cast(Lane, app.extensions["foedus-lane"])


def bench_of(app: Flask) -> Bench:
    """What checks documents for *app*, to be closed with it."""
    return cast(Bench, app.extensions["foedus-bench"])
