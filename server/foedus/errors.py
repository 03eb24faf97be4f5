"""Every error a user can meet, as one tree; each knows its words, its exit code and its HTTP status."""

from collections.abc import Mapping
from typing import Any


class FoedusError(Exception):
    """What happened, to what, and what to do; *title* and *when* tell of all errors of a kind.

    ::

        FoedusError                  exit  status
          DataHasFindings              1       –
          WrongUsage                   2     400
          CannotRead                   3       –
          DatasetRefused               3       –
          BadQuery                     3     400
          BadDocument                  3     400
          ReadOnly                     3     403
          NoSuchThing                  2     404
          NotAcceptable                2     406
          TooLarge                     4     413
          AddressTooLong               4     414
          WrongBodyType                3     415
          QueryTooSlow                 4     504
          CheckTooSlow                 4     504
          AnswerTooLarge               4     507
          Busy                         4     503
          EngineFailed                 3     502
          Cancelled                  130     499
          OverShare                    4     429
          NotOffered                   3     501
          CannotServe                  3       –
          DatasetTooLarge              4       –
    """

    exit_code = 3
    status = 500
    title = "Something went wrong"
    when = "A fault of the server's own. It is logged, under the number that the answer has in X-Request-Id."

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
    when = "The data, shapes, rules, links or questions have findings, which are listed."

    def __init__(self, message: str, remedy: str = "", report: object = None) -> None:
        super().__init__(message, remedy)
        self.report = report


class WrongUsage(FoedusError):
    exit_code = 2
    status = 400
    title = "The parameter is not right"
    when = "A parameter is unknown, missing, or not of the type that it has to be."


class CannotRead(FoedusError):
    title = "The input cannot be read"
    when = "A file or folder cannot be read or written."


class DatasetRefused(FoedusError):
    title = "The dataset is refused"
    when = "The dataset is missing, or is not the one that its manifest describes."


class BadQuery(FoedusError):
    status = 400
    title = "The query is not right"
    when = "The text of a query is malformed, or asks for what no query may do here."


class BadDocument(FoedusError):
    status = 400
    title = "The document is not right"
    when = "A document that is to be checked is malformed, or holds what none may."


class ReadOnly(FoedusError):
    status = 403
    title = "This endpoint is read-only"
    when = "An update was sent. Nobody can change the data through the endpoint."


class NoSuchThing(FoedusError):
    """*near* holds the IRIs of what the asker may have meant."""

    exit_code = 2
    status = 404
    title = "Not found"
    when = "The record has no thing, term, question or file of that name."

    def __init__(self, message: str, remedy: str = "", near: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy)
        self.near = near


class NotAcceptable(FoedusError):
    exit_code = 2
    status = 406
    title = "No such format"
    when = "None of the formats that the answer comes in was asked for."


class TooLarge(FoedusError):
    exit_code = 4
    status = 413
    title = "The request is too large"
    when = "The body of the request, or the query in it, is longer than it may be."


class AddressTooLong(FoedusError):
    exit_code = 4
    status = 414
    title = "The address is too long"
    when = "The first line of the request is longer than it may be."


class WrongBodyType(FoedusError):
    status = 415
    title = "Unsupported body type"
    when = "The media type of the body is none that is taken at this address."


class QueryTooSlow(FoedusError):
    exit_code = 4
    status = 504
    title = "The query took too long"
    when = "The query took longer than a query may, and was stopped."


class CheckTooSlow(FoedusError):
    exit_code = 4
    status = 504
    title = "The check took too long"
    when = "The check of a document took longer than one may, and was stopped."


class AnswerTooLarge(FoedusError):
    exit_code = 4
    status = 507
    title = "The answer is too large"
    when = "The query needed more memory than a query may have, or its answer is larger than one may be."


class Busy(FoedusError):
    exit_code = 4
    status = 503
    title = "The server is busy"
    when = "All workers have enough to do, or are just being started again."


class Cancelled(FoedusError):
    exit_code = 130
    status = 499
    title = "The asker left"
    when = "Whoever asked left before the answer was there."


class EngineFailed(FoedusError):
    status = 502
    title = "The engine failed"
    when = "The engine behind this server does not answer, or is no SPARQL endpoint."


class OverShare(FoedusError):
    exit_code = 4
    status = 429
    title = "Too many queries at once"
    when = "The queries of the same address have their share of the workers already."


class NotOffered(FoedusError):
    status = 501
    title = "Not offered here"
    when = "This installation lacks the libraries for it."


class CannotServe(FoedusError):
    title = "The server cannot start"
    when = "The port is in use, or no process can be started."


class DatasetTooLarge(FoedusError):
    exit_code = 4
    title = "The dataset is too large"
    when = "The dataset does not fit into the memory that is free."


def of_message(message: Mapping[str, Any]) -> FoedusError:
    """The error of which another process told by *message*; of the first kind where it names none of these."""
    kind = globals().get(message["error"])
    known = kind if isinstance(kind, type) and issubclass(kind, FoedusError) else FoedusError
    return known(message["message"], message["remedy"], message["line"], message["column"])
