"""The tables at /download: offered, whole, tagged, described, and made once."""

import csv
import gzip
import io

import pytest
import zstandard

from foedus.query.codebook import COLUMNS
from foedus.query.record import read
from foedus.query.tables import NAMES, Tables
from foedus.web import tables
from foedus.web.tables import FILES


@pytest.mark.parametrize("name", FILES)
def test_the_page_leads_to_every_file(client, name):
    assert f'href="/download/{name}"' in client.get("/download").text
    answer = client.get(f"/download/{name}")
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.data) > 1000


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_the_table(client, pool, name):
    answer = client.get(f"/download/{name}.csv")
    assert answer.data == Tables(read(pool)).table(name).csv()
    assert answer.content_type == "text/csv; charset=utf-8; header=present"
    head = next(csv.reader(io.StringIO(answer.text)))
    assert head == [column.name for column in COLUMNS[name]]


@pytest.mark.parametrize(("coding", "decode"), [("gzip", gzip.decompress), ("zstd", zstandard.decompress)])
def test_it_goes_out_coded_for_who_takes_that(client, coding, decode):
    plain = client.get("/download/alliance.csv")
    coded = client.get("/download/alliance.csv", headers={"Accept-Encoding": coding})
    assert coded.headers["Content-Encoding"] == coding
    assert decode(coded.data) == plain.data
    assert coded.headers["ETag"] != plain.headers["ETag"]
    assert "Accept-Encoding" in coded.headers["Vary"]


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_who_has_it_already_gets_a_304(client, coding):
    asked = {"Accept-Encoding": coding}
    tag = client.get("/download/alliance.csv", headers=asked).headers["ETag"]
    assert client.get("/download/alliance.csv", headers={**asked, "If-None-Match": tag}).status_code == 304


def test_a_head_has_the_length_and_no_body(client):
    answer = client.head("/download/dyad-year.csv")
    assert (answer.status_code, answer.data) == (200, b"")
    assert int(answer.headers["Content-Length"]) == len(client.get("/download/dyad-year.csv").data)


def test_parquet_is_not_coded_again(client):
    answer = client.get("/download/alliance.parquet", headers={"Accept-Encoding": "gzip"})
    assert answer.data[:4] == b"PAR1"
    assert answer.content_type == "application/vnd.apache.parquet"


def test_an_unknown_file_is_told_the_known_ones(client):
    answer = client.get("/download/alliances.csv")
    assert answer.status_code == 404
    assert "alliance-member.csv" in answer.text


def test_data_without_alliances_offer_no_tables(own):
    assert "/download/alliance.csv" not in own.get("/download", headers={"Accept": "text/html"}).text
    assert own.get("/download/alliance.csv").status_code == 404


def test_too_large_tables_are_refused_each_time_and_tried_once(app, client, monkeypatch):
    """507, naming what to do instead; the work is not done again for the next one who asks."""
    made = []
    monkeypatch.setattr(tables, "MOST_CELLS", 10)
    monkeypatch.setattr(tables, "Tables", lambda *given: made.append(given) or Tables(*given))
    app.extensions.pop("foedus-press", None)
    answers = [client.get(f"/download/{name}.csv") for name in ("dyad-year", "dyad-year", "state-year")]
    app.extensions.pop("foedus-press", None)
    assert [answer.status_code for answer in answers] == [507, 507, 507]
    assert "foedus export" in answers[0].text
    assert len(made) == 1


def test_the_codebook_is_readable(client):
    answer = client.get("/download/codebook.md")
    assert answer.content_type == "text/markdown; charset=utf-8"
    assert "| `ccode1` |" in answer.text


@pytest.mark.parametrize("name", ["csto", "collective-security-treaty", "uzbekistan"])
def test_every_page_about_membership_takes_a_day(client, name):
    """By ``on`` or by ``date``: on 19 December 2012 Uzbekistan's time had ended, and half a year before it had not."""
    form = client.get(f"/page/{name}").text
    assert '<input id="on" type="date" name="on"' in form
    before, by_date, after = (
        client.get(f"/page/{name}?{day}").text for day in ("on=2012-06-01", "date=2012-06-01", "date=2012-12-19")
    )
    assert before == by_date != after
    assert client.get(f"/page/{name}?date=2012-02-30").status_code == 400
