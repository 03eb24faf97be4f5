"""The service as OpenRefine and other clients use it: the Reconciliation Service API 0.2, whole and under attack."""

import json
import re

import pytest

from foedus.web import Settings, create_app, refine
from foedus.web.desk import networks
from foedus.web.reconcile import LARGEST_BODY, SUGGESTIONS

from . import schemas
from .schemas import faults

STATE = {"query": "USSR", "type": "State", "limit": 3}


def asked(client, queries, **more):
    """The answer to a batch, sent as clients send it."""
    return client.post("/reconcile", data={"queries": json.dumps(queries)}, **more)


def extended(client, ids, *properties):
    wanted = [{"id": each} if isinstance(each, str) else each for each in properties]
    return client.post("/reconcile", data={"extend": json.dumps({"ids": ids, "properties": wanted})})


# What is served


def test_the_manifest_has_the_form_of_the_specification(client):
    answer = client.get("/reconcile")
    assert answer.content_type == "application/json"
    assert faults(answer.json, schemas.MANIFEST) == []
    assert answer.json["identifierSpace"] + "germany" == "https://w3id.org/foedus/id/germany"
    assert [each["id"] for each in answer.json["defaultTypes"]] == ["State", "Alliance", "Treaty"]


def test_the_manifest_names_addresses_that_answer(client):
    told = client.get("/reconcile").json
    paths = [
        told["view"]["url"],
        told["preview"]["url"],
        told["feature_view"]["url"],
        told["documentation"],
        told["logo"],
    ]
    paths += [each["service_url"] + each["service_path"] for each in told["suggest"].values()]
    paths += [each["flyout_service_url"] + each["flyout_service_path"] for each in told["suggest"].values()]
    paths.append("".join(told["extend"]["propose_properties"].values()))
    for path in paths:
        known = "State" if "flyout/type" in path else "memberOf" if "flyout/property" in path else "germany"
        address = path.replace("{{id}}", known).replace("${id}", known)
        assert client.get(address).status_code in (200, 303), address


def test_the_manifest_knows_its_address_behind_a_proxy_that_ends_encryption(pool):
    """If the proxy is trusted; anybody else's word for it counts for nothing."""
    said = {"Host": "foedus.example", "X-Forwarded-Proto": "https"}
    trusting = create_app(pool, Settings(proxies=networks(["127.0.0.1"])))
    for app, scheme in ((trusting, "https"), (create_app(pool), "http")):
        told = app.test_client().get("/reconcile", headers=said).json
        assert told["documentation"] == f"{scheme}://foedus.example/reconcile"


def test_a_browser_is_shown_what_to_paste(client):
    page = client.get("/reconcile", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.mimetype == "text/html"
    assert "<pre>http://localhost/reconcile</pre>" in page.text
    assert {"Accept", "Accept-Encoding"} <= set(page.headers["Vary"].split(", "))


def test_each_feature_of_an_answer_is_explained_on_the_page(client):
    wishes = [{"pid": "memberOf", "v": "nato"}, {"pid": "on", "v": "1990"}, {"pid": "iso3", "v": "DEU"}]
    found = asked(client, {"q": {"query": "Germany", "type": "State", "properties": wishes}}).json["q"]["result"][0]
    page = client.get("/reconcile", headers={"Accept": "text/html"}).text
    assert [each["id"] for each in found["features"] if f'id="feature-{each["id"]}"' not in page] == []


@pytest.mark.parametrize(
    "path",
    [
        "/reconcile",
        "/reconcile?query=x",
        "/reconcile/suggest/entity?prefix=x",
        "/reconcile/preview?id=nato",
        "/reconcile?queries=[",
    ],
)
def test_any_site_may_ask(client, path):
    assert client.get(path).headers["Access-Control-Allow-Origin"] == "*"
    asked_before = client.options(
        path, headers={"Origin": "https://x.example", "Access-Control-Request-Method": "POST"}
    )
    assert asked_before.status_code == 204
    assert asked_before.headers["Access-Control-Allow-Origin"] == "*"


# Queries


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_batch_is_answered_by_its_keys(client, method):
    queries = {"q0": STATE, "": {"query": "NATO", "type": ["Alliance"]}, "no": {"query": "Xyzzyx"}}
    given = {"queries": json.dumps(queries)}
    answer = client.get("/reconcile", query_string=given) if method == "get" else client.post("/reconcile", data=given)
    assert faults(answer.json, schemas.RESULTS) == []
    assert {key: [each["id"] for each in found["result"]][:1] for key, found in answer.json.items()} == {
        "q0": ["soviet-union"],
        "": ["nato"],
        "no": [],
    }


@pytest.mark.parametrize("query", ["USSR", json.dumps(STATE), ' {"query": "USSR"}'])
def test_a_single_query_is_answered_alone(client, query):
    answer = client.get("/reconcile", query_string={"query": query}).json
    assert faults(answer, schemas.RESULT) == []
    assert answer["result"][0] == answer["result"][0] | {"id": "soviet-union", "score": 100, "match": True}


def test_a_single_name_may_have_a_type_and_a_limit_beside_it(client):
    answer = client.get("/reconcile?query=Korea&type=State&limit=2").json
    assert answer["result"][0]["id"] == "korea"
    assert len(answer["result"]) == 2


@pytest.mark.parametrize("blank", ["", "  ", "\u00a0"])
def test_a_blank_cell_does_not_cost_the_others_their_answers(client, blank):
    """As OpenRefine sends a cell of spaces, in the column itself and in one beside it."""
    beside = [{"pid": "on", "v": blank}]
    answer = asked(client, {"q0": {"query": blank, "type": "State"}, "q1": {"query": "Armenia", "properties": beside}})
    assert [[each["id"] for each in answer.json[key]["result"]][:1] for key in ("q0", "q1")] == [[], ["armenia"]]
    assert answer.json["q1"]["result"][0]["match"]


def test_what_else_is_known_narrows_the_answer(client):
    """As OpenRefine sends it: a cell that is reconciled already, a number for a year."""
    wishes = [{"pid": "memberOf", "v": {"id": "nato", "name": "NATO"}}, {"pid": "on", "v": 1990}]
    queries = {"q": {"properties": wishes, "type": "State", "limit": 100}}
    found = asked(client, queries).json["q"]["result"]
    assert len(found) == 16
    assert {each["score"] for each in found} == {100}


def test_candidates_come_the_best_first_and_no_more_than_wanted(client):
    found = asked(client, {"q": {"query": "Guinea", "limit": 4.0}}).json["q"]["result"]
    assert len(found) == 4
    assert [each["score"] for each in found] == sorted((each["score"] for each in found), reverse=True)


def test_a_limit_of_thousands_of_digits_is_no_number(client):
    assert client.get(f"/reconcile?query=Guinea&limit={'9' * 5000}").status_code == 400


def test_a_limit_has_a_limit(client):
    found = asked(client, {"q": {"properties": [{"pid": "on", "v": "2000"}], "limit": 10**9}}).json["q"]["result"]
    assert len(found) == refine.MOST_LIMIT


# Suggestions


@pytest.mark.parametrize(
    ("what", "prefix", "first", "schema"),
    [
        ("entity", "germ", "germany", schemas.SUGGESTED_ENTITIES),
        ("entity", "Germany", "germany", schemas.SUGGESTED_ENTITIES),
        ("entity", "soviet-union", "soviet-union", schemas.SUGGESTED_ENTITIES),
        ("entity", "Герм", "germany", schemas.SUGGESTED_ENTITIES),
        ("entity", "Germny", "germany", schemas.SUGGESTED_ENTITIES),
        ("type", "sta", "State", schemas.SUGGESTED_TYPES),
        ("type", "MemberState", "MemberState", schemas.SUGGESTED_TYPES),
        ("property", "member", "memberOf", schemas.SUGGESTED_PROPERTIES),
        ("property", "on the", "on", schemas.SUGGESTED_PROPERTIES),
    ],
)
def test_what_is_being_typed_is_suggested(client, what, prefix, first, schema):
    answer = client.get(f"/reconcile/suggest/{what}", query_string={"prefix": prefix}).json
    assert faults(answer, schema) == []
    assert answer["result"][0]["id"] == first


def test_a_cursor_leads_to_further_suggestions(client):
    pages = [
        client.get(f"/reconcile/suggest/entity?prefix=s&cursor={skip}").json["result"] for skip in (0, SUGGESTIONS)
    ]
    ids = [each["id"] for page in pages for each in page]
    assert len(set(ids)) == len(ids) == 2 * SUGGESTIONS


def test_suggestions_can_be_of_one_type(client):
    found = client.get("/reconcile/suggest/entity?prefix=north&type=Treaty").json["result"]
    assert "north-atlantic-treaty" in [each["id"] for each in found]
    assert {kind["id"] for each in found for kind in each["notable"]} == {"Treaty"}


def test_nothing_typed_suggests_nothing_and_all_types(client):
    assert client.get("/reconcile/suggest/entity?prefix=").json == {"result": []}
    assert len(client.get("/reconcile/suggest/type").json["result"]) > 10


@pytest.mark.parametrize(("what", "wanted"), [("entity", "germany"), ("type", "State"), ("property", "memberOf")])
def test_a_flyout_says_in_html_what_it_is(client, what, wanted):
    answer = client.get(f"/reconcile/flyout/{what}", query_string={"id": wanted}).json
    assert faults(answer, schemas.FLYOUT) == []
    assert answer["id"] == wanted
    assert answer["html"].startswith("<div><strong>")


def test_a_preview_may_stand_in_the_frame_of_another_site(client):
    page = client.get("/reconcile/preview?id=germany")
    assert "frame-ancestors *" in page.headers["Content-Security-Policy"]
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "COW 255" in page.text
    assert "frame-ancestors 'none'" in client.get("/page/germany").headers["Content-Security-Policy"]


# Extension


def test_columns_are_added_from_what_was_matched(client):
    answer = extended(
        client,
        ["germany", "soviet-union"],
        "iso3",
        "wikidata",
        {"id": "code", "settings": {"list": "COW", "on": "1960"}},
        {"id": "memberOf", "settings": {"on": "1960-01-01"}},
        {"id": "name", "settings": {"language": "fr"}},
    ).json
    assert faults(answer, schemas.EXTENDED) == []
    assert [each["id"] for each in answer["meta"]] == ["iso3", "wikidata", "code", "memberOf", "name"]
    assert answer["meta"][3]["type"] == {"id": "Alliance", "name": "alliance"}
    germany = answer["rows"]["germany"]
    assert (germany["iso3"], germany["wikidata"]) == ([{"str": "DEU"}], [{"str": "Q183"}])
    assert (germany["code"], germany["name"]) == ([{"str": "260"}], [{"str": "Allemagne"}])
    assert [each["id"] for each in germany["memberOf"]] == ["nato", "weu"]
    assert [each["id"] for each in answer["rows"]["soviet-union"]["memberOf"]] == ["warsaw-pact"]


@pytest.mark.parametrize(
    ("named", "codes"),
    [("COW", ["305"]), ("cow number", ["305"]), ("COW abbreviation", ["AUS"]), ("abbreviation", ["AUS"])],
)
def test_a_list_named_whole_goes_before_those_of_which_the_name_is_a_part(client, named, codes):
    answer = extended(client, ["austria"], {"id": "code", "settings": {"list": named}}).json
    assert [each["str"] for each in answer["rows"]["austria"]["code"]] == codes


def test_a_code_without_a_list_bears_its_name(client):
    found = extended(client, ["armenia"], "code").json["rows"]["armenia"]["code"]
    assert {"str": "COW 371"} in found and {"str": "ISO 3166-1 alpha-3 ARM"} in found


@pytest.mark.parametrize(
    ("thing", "property", "cell"),
    [
        (
            "csto",
            "constitutedBy",
            {"id": "csto-charter", "name": "Charter of the Collective Security Treaty Organization"},
        ),
        ("kyrgyzstan-tajikistan-2022-09", "beganEarliest", {"date": "2022-09-14T00:00:00Z"}),
        ("kyrgyzstan-tajikistan-2022-09", "began", {"str": "2022-09-14"}),
    ],
)
def test_values_are_things_days_or_texts(client, thing, property, cell):
    answer = extended(client, [thing], property).json
    assert faults(answer, schemas.EXTENDED) == []
    assert answer["rows"][thing][property] == [cell]


def test_what_is_not_there_has_no_values(client):
    assert extended(client, ["atlantis"], "iso3").json["rows"] == {"atlantis": {"iso3": []}}


def test_properties_are_proposed_for_a_type(client):
    answer = client.get("/reconcile/properties?type=State&limit=8").json
    assert faults(answer, schemas.PROPOSED) == []
    assert (answer["type"], answer["limit"], len(answer["properties"])) == ("State", 8, 8)
    of_treaties = client.get("/reconcile/properties?type=Treaty").json["properties"]
    assert "memberOf" not in [each["id"] for each in of_treaties]


def test_every_proposed_property_can_be_had(client):
    proposed = client.get("/reconcile/properties?type=State").json["properties"]
    for start in range(0, len(proposed), refine.MOST_PROPERTIES):
        some = [each["id"] for each in proposed[start : start + refine.MOST_PROPERTIES]]
        answer = extended(client, ["armenia"], *some)
        assert faults(answer.json, schemas.EXTENDED) == []


# JSONP


def test_older_clients_get_a_call_of_their_function(client):
    answer = client.get("/reconcile?query=USSR&callback=jQuery_1.done")
    assert answer.mimetype == "application/javascript"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    called = re.fullmatch(r"/\*\*/jQuery_1\.done\((.*)\);", answer.text)
    assert json.loads(called[1])["result"][0]["id"] == "soviet-union"
    assert answer.text.isascii()


@pytest.mark.parametrize(
    "callback", ["", "alert(1)//", "a b", "a;b", "é", "<script>", "a" * 65, "a.b.c.d.e", "1a", "a\n"]
)
def test_a_callback_that_is_no_name_is_refused(client, callback):
    answer = client.get("/reconcile", query_string={"query": "x", "callback": callback})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


# What is not of the shape

WRONG_BATCHES = [
    *("", "{", "[" * 50_000, '{"q":' * 10_000),
    *r"""
[]
7
null
"q"
{"q": 1}
{"q": []}
{"q": {}}
{"q": {"query": 1}}
{"q": {"query": "\ud800"}}
{"q": {"query": "x", "limit": 0}}
{"q": {"query": "x", "limit": "5"}}
{"q": {"query": "x", "limit": true}}
{"q": {"query": "x", "limit": 1.5}}
{"q": {"query": "x", "limit": 1e999}}
{"q": {"query": "x", "limit": NaN}}
{"q": {"query": "x", "type": 1}}
{"q": {"query": "x", "type": [[]]}}
{"q": {"query": "x", "type": "Ship"}}
{"q": {"query": "x", "type_strict": "no"}}
{"q": {"query": "x", "type_strict": []}}
{"q": {"query": "x", "lang": "en"}}
{"q": {"properties": []}}
{"q": {"properties": {}}}
{"q": {"properties": [1]}}
{"q": {"properties": [{"pid": "on"}]}}
{"q": {"properties": [{"pid": 1, "v": 1}]}}
{"q": {"properties": [{"pid": "on", "v": null}]}}
{"q": {"properties": [{"pid": "on", "v": {}}]}}
{"q": {"properties": [{"pid": "on", "v": [[1]]}]}}
{"q": {"properties": [{"pid": "ships", "v": 1}]}}
""".strip().splitlines(),
    '{"q": {"query": "x", "limit": ' + "9" * 10_000 + "}}",
]
WRONG_EXTENSIONS = r"""
{}
[]
{"ids": "germany", "properties": []}
{"ids": [1], "properties": []}
{"ids": [], "properties": [1]}
{"ids": [], "properties": [{"id": 1}]}
{"ids": [], "properties": [{"id": "ships"}]}
{"ids": [], "properties": [{"id": "code", "settings": {"on": "soon"}}]}
{"ids": [], "properties": [{"id": "code", "settings": {"at": "1999"}}]}
{"ids": [], "properties": [{"id": "code", "settings": [1]}]}
{"ids": [], "properties": [{"id": "name", "settings": {"language": "\" }"}}]}
""".strip().splitlines()


@pytest.mark.parametrize("queries", WRONG_BATCHES, ids=lambda text: text[:50])
def test_a_batch_of_the_wrong_shape_is_a_400_in_json(client, queries):
    answer = client.post("/reconcile", data={"queries": queries})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert answer.json["detail"] and answer.json["remedy"]


@pytest.mark.parametrize("extend", WRONG_EXTENSIONS)
def test_an_extension_of_the_wrong_shape_is_a_400_in_json(client, extend):
    answer = client.post("/reconcile", data={"extend": extend})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/reconcile?queries={}&query=x", 400),
        ("/reconcile/suggest/entity?prefix=x&cursor=-1", 400),
        ("/reconcile/suggest/entity?prefix=x&cursor=9999999", 400),
        ("/reconcile/suggest/entity?prefix=x&type=Ship", 400),
        ("/reconcile/suggest/entity?prefix=" + "x" * 201, 413),
        ("/reconcile/suggest/ship?prefix=x", 404),
        ("/reconcile/flyout/entity?id=atlantis", 404),
        ("/reconcile/flyout/type?id=Ship", 404),
        ("/reconcile/flyout/property?id=tonnage", 404),
        ("/reconcile/preview?id=%3Cscript%3E", 404),
        ("/reconcile/preview", 404),
        ("/reconcile/properties?type=Ship", 400),
        ("/reconcile/properties?type=State&limit=x", 400),
    ],
)
def test_other_requests_that_make_no_sense_are_refused(client, path, status):
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_a_batch_beyond_the_size_that_the_manifest_names_is_too_large(client):
    queries = {str(number): {"query": "Armenia"} for number in range(refine.BATCH + 1)}
    assert client.get("/reconcile").json["batchSize"] == refine.BATCH
    assert asked(client, queries).status_code == 413
    queries.popitem()
    assert asked(client, queries).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"query": "x" * (refine.LONGEST + 1)},
        {"properties": [{"pid": "on", "v": "x" * (refine.LONGEST + 1)}]},
        {"query": "x", "type": "x" * (refine.LONGEST + 1)},
    ],
)
def test_a_text_without_end_is_too_large(client, query):
    assert asked(client, {"q": query}).status_code == 413


def test_a_form_beyond_its_size_is_not_read(client):
    answer = client.post("/reconcile", data={"queries": " " * LARGEST_BODY})
    assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")


def test_a_form_may_not_be_something_else(client):
    assert client.post("/reconcile", data="{}", content_type="application/json").status_code == 415
    assert client.post("/reconcile", data={"other": "x"}).status_code == 400
    assert client.put("/reconcile").status_code == 405


def test_what_is_asked_is_never_part_of_a_page(client):
    name = "<img src=x onerror=alert(1)>"
    for path in ("/reconcile/preview", "/reconcile/flyout/entity"):
        refused = client.get(path, query_string={"id": name}, headers={"Accept": "text/html"})
        assert refused.status_code == 404
        assert name not in refused.text


def test_a_batch_asks_the_engine_nothing(client, pool):
    """Names, codes, members and days are all looked up in what was fetched once."""
    wishes = [{"pid": "memberOf", "v": "nato"}, {"pid": "on", "v": "1999"}]
    queries = {
        str(number): {"query": f"Grmany {number}", "type": "State", "properties": wishes} for number in range(10)
    }
    assert asked(client, queries).status_code == 200
    before = pool.statistics()
    assert asked(client, queries | {"another": {"query": "Armenja"}}).status_code == 200
    after = pool.statistics()
    assert (after.open.asked, after.reserved.asked) == (before.open.asked, before.reserved.asked)


def test_an_extension_costs_one_query_for_each_property(client, pool):
    extended(client, ["armenia", "russia"], "iso3", "memberOf", "name")
    before = pool.statistics()
    extended(client, ["georgia", "ukraine", "belarus"], "iso3", "memberOf", "name")
    after = pool.statistics()
    assert after.open.asked + after.reserved.asked - before.open.asked - before.reserved.asked == 2


def test_over_data_of_another_kind_there_is_nothing_to_reconcile_with(elsewhere):
    answer = elsewhere.get("/reconcile?query=x")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
