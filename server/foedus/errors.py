"""Every error a user can meet, as one tree; each knows its words, its exit code and its HTTP status."""

from collections.abc import Mapping
from typing import Any


class FoedusError(Exception):
    """What happened, to what, and what to do.

    ::

        FoedusError                  exit  status
          DataHasFindings              1     –     the data, shapes, rules or questions have findings
          WrongUsage                   2    400    an unknown or badly typed parameter
          CannotRead                   3     –     a file or folder cannot be read or written
          DatasetRefused               3     –     the dataset is missing, or does not match its manifest
          BadQuery                     3    400    the query text is malformed or not allowed
          BadDocument                  3    400    a document to be checked is malformed or not allowed
          ReadOnly                     3    403    an update was sent
          NoSuchThing                  2    404    an unknown thing or question
          NotAcceptable                2    406    no offered format fits
          TooLarge                     4    413    a body or query text over its limit
          AddressTooLong               4    414    a request line over its limit
          WrongBodyType                3    415    an unsupported request body type
          QueryTooSlow                 4    504    over the time limit
          CheckTooSlow                 4    504    a document whose check is over the time limit
          AnswerTooLarge               4    507    over the memory or answer limit
          Busy                         4    503    the queue is full, or the pool restarts
          EngineFailed                 3    502    the engine behind --engine fails or is no SPARQL endpoint
          Cancelled                  130    499    the asker left before the answer was there
          OverShare                    4    429    too many queries of one address at once
          NotOffered                   3    501    what this installation lacks the libraries for
          CannotServe                  3     –     the port is in use, or no worker starts
          DatasetTooLarge              4     –     the dataset does not fit into the memory that is free
    """

    exit_code = 3
    status = 500
    title = "Something went wrong"

    def __init__(self, message: str, remedy: str = "", line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message

    def as_message(self) -> dict[str, Any]:
        """What one process tells another of this error; ``of_message`` makes it an error again."""
        return {
            "error": type(self).__name__,
            "message": self.message,
            "remedy": self.remedy,
            "line": self.line,
            "column": self.column,
        }


class DataHasFindings(FoedusError):
    exit_code = 1
    title = "The data have findings"

    def __init__(self, message: str, remedy: str = "", report: object = None) -> None:
        super().__init__(message, remedy)
        self.report = report


class WrongUsage(FoedusError):
    exit_code = 2
    status = 400
    title = "The parameter is not right"


class CannotRead(FoedusError):
    title = "The input cannot be read"


class DatasetRefused(FoedusError):
    title = "The dataset is refused"


class BadQuery(FoedusError):
    status = 400
    title = "The query is not right"


class BadDocument(FoedusError):
    status = 400
    title = "The document is not right"


class ReadOnly(FoedusError):
    status = 403
    title = "This endpoint is read-only"


class NoSuchThing(FoedusError):
    """*near* holds the IRIs of what the asker may have meant."""

    exit_code = 2
    status = 404
    title = "Not found"

    def __init__(self, message: str, remedy: str = "", near: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy)
        self.near = near


class NotAcceptable(FoedusError):
    exit_code = 2
    status = 406
    title = "No such format"


class TooLarge(FoedusError):
    exit_code = 4
    status = 413
    title = "The request is too large"


class AddressTooLong(FoedusError):
    exit_code = 4
    status = 414
    title = "The address is too long"


class WrongBodyType(FoedusError):
    status = 415
    title = "Unsupported body type"


class QueryTooSlow(FoedusError):
    exit_code = 4
    status = 504
    title = "The query took too long"


class CheckTooSlow(FoedusError):
    exit_code = 4
    status = 504
    title = "The check took too long"


class AnswerTooLarge(FoedusError):
    exit_code = 4
    status = 507
    title = "The answer is too large"


class Busy(FoedusError):
    exit_code = 4
    status = 503
    title = "The server is busy"


class Cancelled(FoedusError):
    exit_code = 130
    status = 499
    title = "The asker left"


class EngineFailed(FoedusError):
    status = 502
    title = "The engine failed"


class OverShare(FoedusError):
    exit_code = 4
    status = 429
    title = "Too many queries at once"


class NotOffered(FoedusError):
    status = 501
    title = "Not offered here"


class CannotServe(FoedusError):
    title = "The server cannot start"


class DatasetTooLarge(FoedusError):
    exit_code = 4
    title = "The dataset is too large"


def of_message(message: Mapping[str, Any]) -> FoedusError:
    """The error of which another process told by *message*; of the first kind where it names none of these."""
    kind = globals().get(message["error"])
    known = kind if isinstance(kind, type) and issubclass(kind, FoedusError) else FoedusError
    return known(message["message"], message["remedy"], message["line"], message["column"])
