"""Bad input that only shows in the whole record is found with its file, its node and what to do."""

import shutil
from pathlib import Path

import pytest

from foedus import files
from foedus.build import check
from foedus.build.findings import Finding
from foedus.build.importing import states

PREFIXES = """@prefix foedus: <https://w3id.org/foedus/ontology#> .
@prefix id: <https://w3id.org/foedus/id/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
LEAGUE = (
    PREFIXES
    + """
id:elis a foedus:State ;
    rdfs:label "Elis"@en .

id:pisa a foedus:State ;
    rdfs:label "Pisa"@en .

id:chronicle a foedus:Source ;
    rdfs:label "the chronicle"@en .

id:charter a foedus:Treaty ;
    rdfs:label "the Charter"@en ;
    foedus:source id:chronicle .

id:league a foedus:Alliance ;
    rdfs:label "the League"@en ;
    foedus:constitutedBy id:charter ;
    foedus:source id:chronicle .

id:league-council a foedus:Organ ;
    rdfs:label "the council of the League"@en ;
    foedus:organOf id:league .

id:charter-accession-elis a foedus:Accession ;
    rdfs:label "Elis accedes"@en ;
    foedus:ofState id:elis ;
    foedus:ofTreaty id:charter ;
    foedus:occurred "1950-01-01" ;
    foedus:takesEffect "1950-01-01" ;
    foedus:source id:chronicle .

id:charter-termination a foedus:Termination ;
    rdfs:label "the Charter ends"@en ;
    foedus:ofState id:elis ;
    foedus:ofTreaty id:charter ;
    foedus:occurred "1970-06-30" ;
    foedus:takesEffect "1970-07-01" ;
    foedus:source id:chronicle .
"""
)


@pytest.fixture
def league(tmp_path) -> Path:
    """The shipped ontology, rules and shapes with a record of one alliance that came to an end."""
    root = tmp_path / "league"
    for folder in ("ontology", "shapes"):
        shutil.copytree(files.ROOT / folder, root / folder)
    for folder in ("queries", "links"):
        (root / "data" / folder).mkdir(parents=True)
    shutil.copy(files.DATA / "dataset.ttl", root / "data")
    (root / "data" / "league.ttl").write_text(LEAGUE)
    return root


def told(root: Path, turtle: str, words: str) -> Finding:
    """The one finding in the new file ``data/new.ttl`` with the content *turtle* that says *words*."""
    new = root / "data" / "new.ttl"
    new.write_text(PREFIXES + turtle)
    (finding,) = (each for each in check([new], root=root).findings if words in each.message)
    return finding


def test_two_overlapping_certain_spells_of_one_membership(league):
    turtle = """
id:membership-league-elis-2 a foedus:Membership , foedus:Spell ;
    foedus:ofState id:elis ;
    foedus:ofAlliance id:league ;
    foedus:spellNumber 2 ;
    foedus:begunBy id:charter-accession-elis ;
    foedus:beginEarliest "1960-01-01"^^xsd:date ;
    foedus:beginLatest "1960-01-01"^^xsd:date ;
    foedus:endEarliest "1965-01-01"^^xsd:date ;
    foedus:endLatest "1965-01-01"^^xsd:date .
"""
    finding = told(league, turtle, "Two memberships of one state")
    assert (finding.file, finding.line, finding.node) == ("data/new.ttl", 6, "id:membership-league-elis-2")
    assert finding.remedy.startswith("See shapes/membership.ttl.")


def test_a_state_that_is_bound_is_not_bound_again(league):
    turtle = """
id:charter-accession-elis-again a foedus:Accession ;
    rdfs:label "Elis accedes again"@en ;
    foedus:ofState id:elis ;
    foedus:ofTreaty id:charter ;
    foedus:occurred "1960-01-01" ;
    foedus:takesEffect "1960-01-01" ;
    foedus:source id:chronicle .
"""
    finding = told(league, turtle, "The state is bound by the treaty already")
    assert (finding.file, finding.node) == ("data/new.ttl", "id:charter-accession-elis-again")


def test_a_finding_about_a_spell_leads_to_the_act_that_began_it(league):
    with (league / "shapes" / "membership.ttl").open("a") as shapes:
        shapes.write(
            "\nshape:membership-note a sh:PropertyShape ; sh:targetClass foedus:Membership ;"
            ' sh:path rdfs:seeAlso ; sh:minCount 1 ; sh:message "A membership has a page."@en .\n'
        )
    for paths in ((), [league / "data" / "league.ttl"]):
        (finding,) = (each for each in check(paths, root=league).findings if "has a page" in each.message)
        assert (finding.file, finding.line, finding.node) == ("data/league.ttl", 28, "id:membership-league-elis-1")


def test_what_rules_say_of_a_state_does_not_describe_it(league):
    turtle = """
id:charter-accession-nobody a foedus:Accession ;
    rdfs:label "nobody accedes"@en ;
    foedus:ofState id:nobody ;
    foedus:ofTreaty id:charter ;
    foedus:occurred "1955-01-01" ;
    foedus:takesEffect "1955-01-01" ;
    foedus:source id:chronicle .
"""
    finding = told(league, turtle, "foedus:ofState refers to id:nobody, which is described nowhere.")
    assert (finding.file, finding.line, finding.node) == ("data/new.ttl", 8, "id:charter-accession-nobody")
    assert "id:nobody" not in {each.node for each in check(root=league).findings}


@pytest.mark.parametrize("actor", ["league", "league-council"])
def test_an_act_after_the_organisation_ended(league, actor):
    turtle = f"""
id:late-announcement a foedus:Announcement ;
    rdfs:label "the League announces something"@en ;
    foedus:doneBy id:{actor} ;
    foedus:occurred "1971" ;
    foedus:source id:chronicle .
"""
    finding = told(league, turtle, "An organisation that is no more does nothing")
    assert (finding.file, finding.line, finding.node) == ("data/new.ttl", 6, "id:late-announcement")
    assert "Correct one of the two days" in finding.message


def test_an_act_after_the_treaty_ended(league):
    turtle = """
id:late-signature a foedus:Signature ;
    rdfs:label "Pisa signs"@en ;
    foedus:ofState id:pisa ;
    foedus:ofTreaty id:charter ;
    foedus:occurred "1971-01" ;
    foedus:source id:chronicle .
"""
    finding = told(league, turtle, "Nothing happens under a treaty that has ended")
    assert (finding.file, finding.node) == ("data/new.ttl", "id:late-signature")


def test_a_source_that_does_not_exist_and_one_that_nothing_cites(league):
    turtle = """
id:charter-ratification-elis a foedus:Ratification ;
    rdfs:label "Elis ratifies"@en ;
    foedus:ofState id:elis ;
    foedus:ofTreaty id:charter ;
    foedus:occurred "1949-06-01" ;
    foedus:source id:chronicles .

id:annals a foedus:Source ;
    rdfs:label "the annals"@en .
"""
    missing = told(league, turtle, "foedus:source refers to id:chronicles, which is described nowhere")
    assert (missing.file, missing.line, missing.node) == ("data/new.ttl", 11, "id:charter-ratification-elis")
    assert missing.remedy == "Did you mean id:chronicle?"
    idle = told(league, turtle, "Nothing in the data cites this source")
    assert (idle.file, idle.line, idle.node) == ("data/new.ttl", 13, "id:annals")
    assert "take it out" in idle.remedy


def code(name: str, state: str, since: str = "", until: str = "") -> str:
    dates = "".join(
        f'    foedus:{key} "{day}" ;\n' for key, day in (("validFrom", since), ("validUntil", until)) if day
    )
    return (
        f'\nid:{name} a foedus:CodeAssignment ;\n    rdfs:label "{name}"@en ;\n    foedus:ofState id:{state} ;\n'
        f'    foedus:codeScheme "COW" ;\n    foedus:code "7" ;\n{dates}    foedus:source id:chronicle .\n'
    )


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (code("first", "elis"), code("second", "pisa"), True),
        (code("first", "elis", until="1950-06-30"), code("second", "pisa", since="1950-06-30"), True),
        (code("first", "elis", until="1950-06-30"), code("second", "pisa", since="1950-07-01"), False),
        # For certain: the year may be that of the change.
        (code("first", "elis", until="1950"), code("second", "pisa", since="1950"), False),
        (code("first", "elis", since="1950", until="1960"), code("second", "pisa", since="1955"), True),
        (code("first", "elis"), code("second", "elis"), False),
    ],
)
def test_one_code_of_one_scheme_stands_for_one_state_at_a_time(league, one, other, overlap):
    (league / "data" / "codes.ttl").write_text(PREFIXES + one)
    (league / "data" / "new.ttl").write_text(PREFIXES + other)
    found = [each for each in check(root=league).findings if "is given to" in each.message]
    assert [each.file for each in found] == (["data/codes.ttl", "data/new.ttl"] if overlap else [])
    if overlap:
        assert (found[1].line, found[1].node) == (6, "id:second")
        assert found[1].message == "COW 7 is given to id:pisa, and on the same days to id:elis by id:first."
        assert "foedus:validUntil" in found[1].remedy


NUMBERS = """stateabb,ccode,statenme,styear,stmonth,stday,endyear,endmonth,endday,version
ELI,7,Elis,1900,1,1,2016,12,31,2016
ATL,99,Atlantis,1900,1,1,2016,12,31,2016
"""


def test_a_row_of_a_list_of_states_that_finds_no_state(league, tmp_path):
    lists = {
        "crosswalk": "state,label,article,iso3,cow,gw,divided_by,other_names,spellings,ended,comment\n"
        "larissa,Larissa,,,7,7,,,,,\n",
        "codes": ",".join(
            ["ISO3166-1-Alpha-3,ISO3166-1-Alpha-2,ISO3166-1-numeric,is_independent,official_name_en"]
            + [f"UNTERM {each} Formal" for each in ("English", "Arabic", "Spanish", "French", "Russian", "Chinese")]
            + [f"official_name_{each}" for each in ("ar", "es", "fr", "ru", "cn")]
        )
        + "\nILE,IL,833,No"
        + "," * 12
        + "\n",
        "cow": NUMBERS,
        "gw": "gwcode,startdate,enddate\n7,1900-01-01,2017-12-31\n",
    }
    for name, text in lists.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    made = states.make(*(tmp_path / f"{name}.csv" for name in lists), None)
    (league / "data" / "generated").mkdir()
    path = league / "data" / "generated" / "states.ttl"
    path.write_text(made.text, encoding="utf-8")
    (finding,) = (each for each in check([path], root=league).findings if "exactly one state" in each.message)
    assert (finding.file, finding.node) == ("data/generated/states.ttl", "id:code-cow-of-nobody-99-1900")
    assert finding.line
    assert "data/crosswalk.csv" in finding.message
    assert finding.remedy == "See shapes/code-assignment.ttl."


def test_a_row_of_a_list_of_conflicts_that_finds_no_state(league):
    turtle = """
id:conflict a foedus:ArmedConflict ;
    rdfs:label "Elis and Pisa"@en ;
    foedus:source id:chronicle .

id:conflict-1950 a foedus:ConflictYear ;
    rdfs:label "Elis and Pisa, 1950"@en ;
    foedus:ofConflict id:conflict ;
    foedus:year 1950 ;
    foedus:conflictType foedus:interstate ;
    foedus:intensity foedus:war ;
    foedus:sideA id:elis ;
    foedus:unmappedParty "99" ;
    foedus:began "1950" ;
    foedus:source id:chronicle .
"""
    finding = told(league, turtle, "A party of a conflict-year is a state")
    assert (finding.file, finding.line, finding.node) == ("data/new.ttl", 10, "id:conflict-1950")
    assert "data/crosswalk.csv" in finding.message
    assert "99" in finding.message
    turtle += """
id:coverage-chronicle-conflicts a foedus:Coverage ;
    rdfs:label "conflicts of the chronicle"@en ;
    rdfs:comment "What 99 is, is not known."@en ;
    foedus:coverageOf id:chronicle ;
    foedus:factKind foedus:conflictFacts ;
    foedus:coveredFrom "1950" ;
    foedus:coveredUntil "1950" ;
    foedus:leavesOut "99" ;
    foedus:completeness foedus:complete .
"""
    (league / "data" / "new.ttl").write_text(PREFIXES + turtle)
    assert not [each for each in check(root=league).findings if "conflict-year" in each.message]


def test_a_thing_described_twice_is_told_in_both_files(world, add):
    add("data/zama.ttl", "\nid:rome foedus:neighbour id:carthage .\n")
    told = {each.file: each for each in check(root=world).findings if "also described" in each.message}
    assert set(told) == {"data/states.ttl", "data/zama.ttl"}
    assert told["data/zama.ttl"].message == "This is also described in data/states.ttl."
    assert told["data/zama.ttl"].remedy == "Describe it in one file only."


MADE = "# Made by the command foedus import states; do not edit.\n"


def test_a_generated_file_names_the_command_that_made_it(world, add):
    path = add("data/generated/states.ttl", f"\n{MADE}\nid:gaul a foedus:State ;\n    rdfs:label 'Gaul'@en .\n")
    assert not [each for each in check(root=world).findings if each.message != "Not laid out."]
    path.write_text(path.read_text().replace(MADE, "# A note.\n"))
    (finding,) = (each for each in check(root=world).findings if each.message != "Not laid out.")
    assert (finding.file, finding.line) == ("data/generated/states.ttl", 1)
    assert "names no command that made it" in finding.message
    assert "foedus import" in finding.remedy


def test_a_made_file_does_not_lie_among_those_written_by_hand(world, add):
    add("data/more.ttl", f"\n{MADE}\nid:gaul a foedus:State ;\n    rdfs:label 'Gaul'@en .\n")
    (finding,) = (each for each in check(root=world).findings if each.message != "Not laid out.")
    assert (finding.file, finding.line) == ("data/more.ttl", 12)
    assert "data/generated/" in finding.remedy


def test_what_is_generated_is_not_described_by_hand(world, add):
    add("data/generated/states.ttl", f"\n{MADE}\nid:gaul a foedus:State ;\n    rdfs:label 'Gaul'@en .\n")
    add("data/zama.ttl", "\nid:gaul foedus:neighbour id:rome .\n")
    told = [each for each in check(root=world).findings if "also described" in each.message]
    assert [each.file for each in told] == ["data/generated/states.ttl", "data/zama.ttl"]
    assert all("Leave it to the generated file" in each.remedy for each in told)


def test_the_layout_of_generated_files_is_checked_too(world, add):
    add("data/generated/states.ttl", f"\n{MADE}\nid:gaul a foedus:State ; rdfs:label 'Gaul'@en .\n")
    assert ("data/generated/states.ttl", "Not laid out.") in {
        (each.file, each.message) for each in check(root=world).findings
    }
