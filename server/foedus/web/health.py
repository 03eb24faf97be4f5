"""/health: whether a query would be answered now, and from which version of the dataset."""

from flask import Blueprint, Response, json

from foedus.errors import FoedusError
from foedus.query.pool import Request
from foedus.web import endpoint, headers
from foedus.web.problems import RETRY_AFTER

bp = Blueprint("health", __name__)


@bp.get("/health")
def health() -> Response:
    """Ready only when a worker has just answered; says which version of the dataset is served."""
    asker = endpoint.asker()
    try:
        # An answer that is another one each time comes from a worker and not from memory.
        asker.ask(Request("SELECT (NOW() AS ?now) {}", reserved=True))
        about = asker.dataset
        content = {"status": "ok", "dataset": about.sha256, "asOf": about.as_of, "quads": about.quads}
        response = Response(json.dumps(content), 200, content_type="application/json")
    except FoedusError as error:
        content = {"status": "unavailable", "detail": error.message}
        response = Response(json.dumps(content), 503, content_type="application/json")
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return headers.fleeting(response)
