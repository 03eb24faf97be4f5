"""What is at /download: offered, whole, tagged, described, and made once."""

import csv
import gzip
import hashlib
import io
import shutil
import subprocess

import pytest
import zstandard

from foedus import names
from foedus.query import dataset as datasets
from foedus.query import export
from foedus.query.codebook import COLUMNS
from foedus.query.limits import Limits
from foedus.query.pool import Pool
from foedus.query.record import read
from foedus.query.tables import NAMES, Tables
from foedus.web import create_app, downloads
from foedus.web.downloads import TABLES


@pytest.mark.parametrize("name", [*TABLES, *names.DUMPS])
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
    monkeypatch.setattr(downloads, "MOST_CELLS", 10)
    monkeypatch.setattr(downloads, "Tables", lambda *given: made.append(given) or Tables(*given))
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


def test_the_dumps_are_those_of_an_export_to_the_byte(client, pool, tmp_path):
    """And the checksums of both agree, on the page, in the file of checksums, and in that of the export."""
    export.export(pool, tmp_path / "export")
    page = client.get("/download").text
    sums = dict(reversed(line.split("  ")) for line in client.get("/download/SHA256SUMS").text.splitlines())
    assert list(sums) == list(names.DUMPS)
    exported = (tmp_path / "export" / "SHA256SUMS").read_text()
    for name, digest in sums.items():
        content = client.get(f"/download/{name}").data
        assert content == (tmp_path / "export" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
        assert f"{digest}  {name}\n" in exported
        assert digest in page


def test_the_checksums_are_read_by_the_usual_program(client, tmp_path):
    (tmp_path / "SHA256SUMS").write_bytes(client.get("/download/SHA256SUMS").data)
    (tmp_path / "foedus.ttl").write_bytes(client.get("/download/foedus.ttl").data)
    command = ["sha256sum", "--check", "--ignore-missing", "--strict", "SHA256SUMS"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout == "foedus.ttl: OK\n"


def test_the_first_dump_is_the_dataset_by_its_hash(client, pool):
    assert hashlib.sha256(client.get("/download/foedus.nq").data).hexdigest() == pool.dataset.sha256


@pytest.mark.parametrize("name", names.DUMPS)
def test_a_dump_says_version_and_licence(client, pool, name):
    answer = client.get(f"/download/{name}")
    about = pool.dataset
    said = f'version="{about.version}", as-of="{about.as_of}", sha256="{about.sha256}"'
    assert answer.headers["Foedus-Dataset"] == said
    assert '<https://creativecommons.org/licenses/by/4.0/>; rel="license"' in answer.headers["Link"]
    assert f'filename="{name}"' in answer.headers["Content-Disposition"]
    if name.endswith((".ttl", ".trig")):
        head = answer.text[:500]
        assert head.startswith(f"# Foedus {about.version}, as of {about.as_of}.\n# Dataset: SHA-256 {about.sha256}")
        assert "# Licence: https://creativecommons.org/licenses/by/4.0/\n" in head


@pytest.mark.parametrize(("coding", "decode"), [("gzip", gzip.decompress), ("zstd", zstandard.decompress)])
def test_a_dump_travels_compressed(client, coding, decode):
    """At a tenth of its size, under a tag of its own."""
    plain = client.get("/download/foedus.nq")
    coded = client.get("/download/foedus.nq", headers={"Accept-Encoding": coding})
    assert coded.headers["Content-Encoding"] == coding
    assert decode(coded.data) == plain.data
    assert len(coded.data) < len(plain.data) / 10
    assert coded.headers["ETag"] != plain.headers["ETag"]


def test_data_that_were_not_built_have_no_dumps(own):
    assert "/download/foedus.nq" not in own.get("/download", headers={"Accept": "text/html"}).text
    assert own.get("/download/foedus.nq").status_code == own.get("/download/SHA256SUMS").status_code == 404
    assert "Foedus-Dataset" not in own.get("/download/foedus.nq").headers


def test_a_dump_that_was_damaged_is_not_handed_out(dataset, tmp_path):
    """Nor one of a dataset that was built anew: what is sent is what its checksum says, or nothing."""
    shutil.copytree(dataset, tmp_path / "dataset", symlinks=True)
    with Pool(tmp_path / "dataset", Limits.chosen(workers=2)) as pool:
        client = create_app(pool).test_client()
        before = client.get("/download").text
        folder = (tmp_path / "dataset" / "current").resolve()
        (folder / "foedus.ttl").write_bytes(b"# ours\n")
        (folder / "foedus.trig").unlink()
        damaged, missing = (client.get(f"/download/foedus.{form}") for form in ("ttl", "trig"))
        assert (damaged.status_code, missing.status_code) == (503, 503)
        assert all(
            "foedus.ttl is not what it was" in damaged.text and str(tmp_path) not in each.text
            for each in (damaged, missing)
        )
        assert client.get("/download/foedus.nq").status_code == 200
        assert client.get("/download").text == before


def test_a_dataset_without_its_dumps_is_built_anew(dataset, tmp_path):
    from foedus.build import is_current

    shutil.copytree(dataset, tmp_path / "dataset", symlinks=True)
    assert is_current(tmp_path / "dataset")
    (tmp_path / "dataset" / "current" / "foedus.jsonld").unlink()
    assert not is_current(tmp_path / "dataset")


def test_the_manifest_tells_of_every_dump(pool):
    assert [each.name for each in datasets.dumps(pool.dataset)] == list(names.DUMPS)
    assert all(
        len(content := datasets.dumped(pool.dataset, each)) == each.bytes
        and hashlib.sha256(content).hexdigest() == each.sha256
        for each in datasets.dumps(pool.dataset)
    )
