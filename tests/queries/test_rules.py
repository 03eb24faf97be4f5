"""What the rules conclude, and what they do not, each shown in the smallest world that can show it."""

import pytest
from pyoxigraph import NamedNode

from foedus import files, names
from foedus.build import dates, reading, rules

# Rome and the Latin League, whose alliance is constituted by a treaty; a pact beside it constitutes none.
ALWAYS = """
id:rome a foedus:State ; rdfs:label "Rome"@en .
id:foedus-cassianum a foedus:Treaty ; rdfs:label "Cassian Treaty"@en .
id:league a foedus:Alliance ; rdfs:label "Latin League"@en ; foedus:constitutedBy id:foedus-cassianum .
id:pact a foedus:Treaty ; rdfs:label "Pact"@en .
id:protocol a foedus:Treaty ; foedus:amends id:foedus-cassianum .
"""


def act(name, kind, day, effect="", treaty="foedus-cassianum"):
    """One legal act of Rome's in Turtle."""
    takes_effect = f' ; foedus:takesEffect "{effect}"' if effect else ""
    return (
        f"id:{name} a {', '.join(f'foedus:{each}' for each in kind.split())} ; foedus:ofState id:rome ; "
        f'foedus:ofTreaty id:{treaty} ; foedus:occurred "{day}"{takes_effect} .\n'
    )


@pytest.fixture(scope="module")
def shipped():
    """The shipped ontology and rules."""
    return reading.read(files.ROOT)


@pytest.fixture
def conclude(shipped, tmp_path):
    """Run the rules over a world; give all values of a property of a node, as local names and sorted."""

    def run(turtle):
        path = tmp_path / "world.ttl"
        prefixes = "".join(
            f"@prefix {prefix}: <{names.PREFIXES[prefix]}> .\n" for prefix in ("foedus", "id", "rdfs", "xsd")
        )
        path.write_text(prefixes + ALWAYS + turtle, encoding="utf-8")
        world = reading.read(files.ROOT, data=[path])
        assert world.findings == ()
        rulebook, findings = rules.read(shipped)
        assert findings == []
        store = rules.store_of(
            {
                names.ASSERTED: [triple for document in world.data for triple in document.triples],
                names.ONTOLOGY_GRAPH: [triple for document in shipped.ontology for triple in document.triples],
                names.INFERRED: dates.derive(world).triples,
            }
        )
        assert rules.run(rulebook, store).findings == ()

        def values(subject, predicate):
            quads = store.quads_for_pattern(
                NamedNode(names.ID + subject), NamedNode(names.expand(predicate)), None, None
            )
            return sorted({quad.object.value.removeprefix(names.ID).removeprefix(names.ONTOLOGY) for quad in quads})

        return values

    return run


IN = act("in", "EntryIntoForce", "1900-01-01", "1900-01-01")
OUT = act("out", "Withdrawal", "1910-01-01", "1910-07-01")
AGAIN = act("again", "Accession", "1920-01-01", "[1920-01-01..1921-06-30]")


def test_a_binding_begins_and_ends_with_the_effect_of_its_acts(conclude):
    world = conclude(IN + OUT)
    binding = "binding-foedus-cassianum-rome-1"
    assert world(binding, "foedus:beginLatest") == ["1900-01-01"]
    assert world(binding, "foedus:endEarliest") == world(binding, "foedus:endLatest") == ["1910-07-01"]
    assert world(binding, "foedus:until") == ["1910-06-30"]


def test_a_state_that_comes_back_has_a_second_spell(conclude):
    world = conclude(IN + OUT + AGAIN)
    assert world("binding-foedus-cassianum-rome-2", "foedus:begunBy") == ["again"]
    assert world("membership-league-rome-2", "foedus:from") == ["[1920-01-01..1921-06-30]"]
    assert world("membership-league-rome-1", "foedus:endedBy") == ["out"]
    assert world("binding-foedus-cassianum-rome-3", "foedus:begunBy") == []


def test_a_state_already_bound_is_not_bound_again(conclude):
    world = conclude(IN + AGAIN)
    assert world("binding-foedus-cassianum-rome-1", "foedus:begunBy") == ["in"]
    assert world("binding-foedus-cassianum-rome-2", "foedus:begunBy") == []


def test_an_act_that_ends_nothing_ends_nothing(conclude):
    world = conclude(OUT + AGAIN)
    assert world("binding-foedus-cassianum-rome-1", "foedus:endedBy") == []


def test_an_end_known_by_its_year_alone_ends_what_began_within_that_year(conclude):
    world = conclude(act("in", "Accession", "1900-05-01") + act("out", "Withdrawal", "1900", "1900"))
    binding = "binding-foedus-cassianum-rome-1"
    assert world(binding, "foedus:endedBy") == ["out"]
    assert world(binding, "foedus:endEarliest") == ["1900-05-02"]
    assert world(binding, "foedus:endLatest") == ["1900-12-31"]
    assert world("binding-foedus-cassianum-rome-2", "foedus:begunBy") == []


@pytest.mark.parametrize("left", ["1910", "1910-03-01"])
@pytest.mark.parametrize("back", ["1910", "1910-03-01", "1910-06"])
def test_one_act_ends_one_binding_however_its_day_and_that_of_the_return_are_known(conclude, left, back):
    world = conclude(IN + act("out", "Withdrawal", left, left) + act("back", "Accession", back, back))
    ends = {n: world(f"binding-foedus-cassianum-rome-{n}", "foedus:endedBy") for n in (1, 2, 3)}
    if back == "1910" and left != back:
        assert ends == {1: ["out"], 2: [], 3: []}  # The return can have come first, and then is none.
    else:
        assert world("binding-foedus-cassianum-rome-2", "foedus:begunBy") == ["back"]
        assert ends == {1: ["out"], 2: [], 3: []}


def test_an_act_of_several_states_begins_and_ends_a_spell_of_each(conclude):
    joint = "id:praeneste a foedus:State .\n" + (IN + OUT).replace("ofState id:rome", "ofState id:rome , id:praeneste")
    world = conclude(joint + act("again", "Accession", "1920-01-01") + act("left", "Withdrawal", "1930", "1930-01-01"))
    assert world("membership-league-rome-1", "foedus:endedBy") == ["out"]
    assert world("membership-league-rome-2", "foedus:endedBy") == ["left"]
    assert world("membership-league-praeneste-1", "foedus:endedBy") == ["out"]
    assert world("membership-league-praeneste-2", "foedus:begunBy") == []


def test_an_act_of_several_states_interrupts_each_of_them_once(conclude):
    freeze = act("freeze", "Freeze", "1905-01-01", "1905-01-01")
    joint = "id:praeneste a foedus:State .\n" + (IN + freeze).replace(
        "ofState id:rome", "ofState id:rome , id:praeneste"
    )
    world = conclude(joint)
    for state in ("rome", "praeneste"):
        assert world(f"interruption-league-{state}-1", "foedus:interrupts") == [f"membership-league-{state}-1"]
        assert world(f"interruption-league-{state}-2", "foedus:interrupts") == []


def test_leaving_an_organ_ends_no_membership(conclude):
    organ = (
        "id:council a foedus:Organ ; foedus:organOf id:league . id:out a foedus:Withdrawal ; foedus:ofState id:rome ;"
    )
    world = conclude(IN + organ + ' foedus:ofOrgan id:council ; foedus:occurred "1910" ; foedus:takesEffect "1910" .')
    assert world("membership-league-rome-1", "foedus:endedBy") == []


def test_only_the_treaty_that_constitutes_it_makes_members(conclude):
    world = conclude(act("in", "EntryIntoForce", "1900-01-01", "1900-01-01", treaty="pact"))
    assert world("binding-pact-rome-1", "foedus:status") == ["party"]
    assert world("rome", "foedus:everPartyTo") == ["pact"]
    assert world("rome", "foedus:everMemberOf") == []
    assert "MemberState" not in world("rome", "rdf:type")


def test_a_member_that_left_is_a_former_member_and_was_a_member(conclude):
    assert {"MemberState", "FormerMemberState"} <= set(conclude(IN + OUT)("rome", "rdf:type"))
    assert "FormerMemberState" not in conclude(IN)("rome", "rdf:type")


def test_announcements_and_notices_begin_and_end_nothing(conclude):
    world = conclude(IN + act("says", "Announcement", "1905-01-01") + act("notes", "Notification", "1906-01-01"))
    assert world("binding-foedus-cassianum-rome-1", "foedus:endLatest") == []


def test_an_act_without_a_day_of_effect_takes_effect_on_its_own_day(conclude):
    world = conclude(act("in", "Accession", "1900-02"))
    assert world("binding-foedus-cassianum-rome-1", "foedus:beginEarliest") == ["1900-02-01"]
    assert world("binding-foedus-cassianum-rome-1", "foedus:beginLatest") == ["1900-02-28"]


ATTESTED = """
id:attestation a foedus:Attestation ; foedus:ofState id:rome ; foedus:attests id:league ;
  foedus:asOf "1950-12-31"^^xsd:date .
id:older a foedus:Attestation ; foedus:ofState id:rome ; foedus:attests id:league ;
  foedus:asOf "1940-01-01"^^xsd:date .
"""


def test_an_open_spell_is_certain_until_its_last_attestation(conclude):
    world = conclude(IN + ATTESTED)
    for spell in ("membership-league-rome-1", "binding-foedus-cassianum-rome-1"):
        assert world(spell, "foedus:lastAttestedBy") == ["attestation"]
        assert world(spell, "foedus:endEarliest") == ["1951-01-01"]
        assert world(spell, "foedus:endLatest") == world(spell, "foedus:until") == []


def test_an_open_spell_that_nothing_attests_is_certain_for_a_day(conclude):
    assert conclude(IN)("membership-league-rome-1", "foedus:endEarliest") == ["1900-01-02"]


def test_attestations_do_not_move_an_end_that_is_known(conclude):
    world = conclude(IN + OUT + ATTESTED)
    assert world("membership-league-rome-1", "foedus:lastAttestedBy") == []
    assert world("membership-league-rome-1", "foedus:endEarliest") == ["1910-07-01"]


def test_a_signatory_is_one_until_it_is_bound(conclude):
    world = conclude(act("signs", "Signature", "1899-05-05") + IN)
    assert world("signatory-foedus-cassianum-rome-1", "foedus:from") == ["1899-05-05"]
    assert world("signatory-foedus-cassianum-rome-1", "foedus:until") == ["1899-12-31"]


def test_a_signatory_that_is_never_bound_stays_one(conclude):
    world = conclude(act("signs", "Signature", "1899-05-05"))
    assert world("signatory-foedus-cassianum-rome-1", "foedus:endLatest") == []
    assert world("rome", "foedus:everPartyTo") == []


def test_signing_again_while_a_signatory_or_bound_makes_no_spell(conclude):
    twice = act("signs", "Signature", "1899-05-05") + act("also-signs", "Signature", "1899-06-06")
    assert conclude(twice + IN)("signatory-foedus-cassianum-rome-1", "foedus:begunBy") == ["signs"]
    assert conclude(IN + act("signs", "Signature", "1905-05-05"))("signatory-foedus-cassianum-rome-1", "rdf:type") == []


def test_signing_anew_after_an_end_makes_a_second_signatory_spell(conclude):
    world = conclude(
        act("signs", "Signature", "1899-05-05") + IN + OUT + act("re-signs", "Signature", "1919-01-01") + AGAIN
    )
    assert world("signatory-foedus-cassianum-rome-2", "foedus:begunBy") == ["re-signs"]
    assert world("signatory-foedus-cassianum-rome-2", "foedus:until") == ["[1919-12-31..1921-06-29]"]


def test_a_protocol_makes_no_signatories(conclude):
    world = conclude(act("signs", "Signature", "1899-05-05", treaty="protocol"))
    assert world("signatory-protocol-rome-1", "rdf:type") == []


FREEZE = act("freezes", "Freeze", "1905-01-01", "1905-01-01")


def test_a_freeze_interrupts_the_membership_and_ends_nothing(conclude):
    world = conclude(IN + FREEZE)
    assert world("interruption-league-rome-1", "foedus:interrupts") == ["membership-league-rome-1"]
    assert world("interruption-league-rome-1", "foedus:status") == ["frozen"]
    assert world("membership-league-rome-1", "foedus:status") == ["member"]
    assert world("membership-league-rome-1", "foedus:endLatest") == []


def test_a_freeze_under_a_treaty_without_alliance_interrupts_the_binding(conclude):
    world = conclude(
        act("in", "EntryIntoForce", "1900-01-01", treaty="pact") + act("freezes", "Freeze", "1905-01-01", treaty="pact")
    )
    assert world("interruption-pact-rome-1", "foedus:interrupts") == ["binding-pact-rome-1"]


def test_a_suspension_that_is_an_exit_ends_and_does_not_interrupt(conclude):
    world = conclude(IN + act("expels", "Suspension EndingAct", "1905-01-01", "1905-01-01"))
    assert world("membership-league-rome-1", "foedus:endedBy") == ["expels"]
    assert world("interruption-league-rome-1", "rdf:type") == []


def test_an_interruption_ends_with_readmission(conclude):
    world = conclude(IN + act("suspends", "Suspension", "1905-01-01") + act("lifts", "Readmission", "1907-01-01"))
    assert world("interruption-league-rome-1", "foedus:endedBy") == ["lifts"]
    assert world("interruption-league-rome-1", "foedus:until") == ["1906-12-31"]
    assert world("membership-league-rome-2", "rdf:type") == []


def test_an_interruption_that_nothing_lifts_ends_with_the_membership(conclude):
    world = conclude(IN + FREEZE + OUT)
    assert world("interruption-league-rome-1", "foedus:endedBy") == ["out"]
    assert world("interruption-league-rome-1", "foedus:endLatest") == ["1910-07-01"]


def test_a_readmission_after_the_exit_begins_a_spell_and_lifts_nothing(conclude):
    world = conclude(IN + FREEZE + OUT + act("back", "Readmission", "1920-01-01"))
    assert world("interruption-league-rome-1", "foedus:endedBy") == ["out"]
    assert world("membership-league-rome-2", "foedus:begunBy") == ["back"]


def test_a_freeze_of_a_state_that_is_no_member_interrupts_nothing(conclude):
    assert conclude(FREEZE)("interruption-league-rome-1", "rdf:type") == []
    assert conclude(IN + OUT + act("freezes", "Freeze", "1915-01-01"))("interruption-league-rome-1", "rdf:type") == []


def test_an_act_that_begins_no_later_than_the_bond_it_would_follow_begins_none(conclude):
    """Both ends may have come before the beginning, in whose year they lie: each ends one bond, none is begun twice."""
    ends = act("out", "Withdrawal", "1900", "1900") + act("quit", "Denunciation", "1900", "1900")
    world = conclude(act("in", "Accession", "1900-05-01") + act("again", "Accession", "1900-06-01") + ends)
    assert [world(f"binding-foedus-cassianum-rome-{n}", "foedus:begunBy") for n in (1, 2, 3)] == [["in"], ["again"], []]


def test_a_readmission_lifts_an_interruption_of_its_own_treaty_only(conclude):
    both = (IN + FREEZE).replace("ofTreaty id:foedus-cassianum", "ofTreaty id:foedus-cassianum , id:pact")
    world = conclude(both + act("lifts", "Readmission", "1907-01-01", treaty="pact"))
    assert world("interruption-pact-rome-1", "foedus:endedBy") == ["lifts"]
    assert world("interruption-league-rome-1", "foedus:endedBy") == []


def test_an_interruption_is_lifted_after_the_last_attestation_too(conclude):
    world = conclude(IN + FREEZE + ATTESTED + act("lifts", "Readmission", "1960-01-01"))
    assert world("interruption-league-rome-1", "foedus:endedBy") == ["lifts"]


def test_an_interruption_that_may_fall_into_two_spells_is_of_the_first(conclude):
    world = conclude(IN + OUT + AGAIN + act("freezes", "Freeze", "[1905..1925]"))
    assert world("interruption-league-rome-1", "foedus:interrupts") == ["membership-league-rome-1"]


def test_an_interruption_ends_after_its_own_first_day(conclude):
    world = conclude(IN + act("freezes", "Freeze", "1910-03-01") + act("out", "Withdrawal", "1910", "1910"))
    assert world("interruption-league-rome-1", "foedus:endEarliest") == ["1910-03-02"]
    assert world("interruption-league-rome-1", "foedus:endLatest") == ["1910-12-31"]


def test_a_signature_whose_day_may_be_later_than_the_bond_makes_a_signatory_before_it(conclude):
    world = conclude(act("signs", "Signature", "1899") + act("in", "EntryIntoForce", "1899-07-01"))
    assert world("signatory-foedus-cassianum-rome-1", "foedus:until") == ["1899-06-30"]


UNDATED = """
id:raid a foedus:Incident ; foedus:began "1905-05-01" .
id:asks a foedus:Request ; foedus:triggeredBy id:raid .
id:one a foedus:Decision ; foedus:decisionOn id:asks ; foedus:occurred "1905-05-03" .
id:two a foedus:Decision ; foedus:decisionOn id:asks ; foedus:occurred "1905-05-09" .
"""


def test_a_request_without_a_day_lies_between_its_incident_and_the_first_decision(conclude):
    world = conclude(UNDATED)
    assert world("asks", "foedus:requestedEarliest") == ["1905-05-01"]
    assert world("asks", "foedus:requestedLatest") == ["1905-05-03"]


def test_a_request_with_a_day_keeps_it(conclude):
    world = conclude(UNDATED + 'id:asks foedus:requestedOn "1905-05-02" .')
    assert world("asks", "foedus:requestedEarliest") == world("asks", "foedus:requestedLatest") == ["1905-05-02"]


ARTICLE = """
id:article a foedus:Article ; foedus:articleOf id:foedus-cassianum .
id:old a foedus:ArticleVersion ; foedus:versionOf id:article ; foedus:introducedBy id:force .
id:new a foedus:ArticleVersion ; foedus:versionOf id:article ; foedus:introducedBy id:change ; foedus:replaces id:old .
id:force a foedus:EntryIntoForce ; foedus:ofTreaty id:foedus-cassianum ; foedus:occurred "1900-01-01" .
id:change a foedus:EntryIntoForce ; foedus:ofTreaty id:protocol ; foedus:occurred "1905-05-05" .
id:ask a foedus:ArticleInvocation ; foedus:invokes id:article ; foedus:requestedBy id:rome ; foedus:requestedOn "DAY" .
"""


def test_a_wording_is_shown_until_the_day_before_the_next_one_and_the_last_without_end(conclude):
    world = conclude(ARTICLE.replace("DAY", "1902-01-01"))
    assert world("old", "foedus:until") == ["1905-05-04"]
    assert world("new", "foedus:until") == []


@pytest.mark.parametrize(
    ("day", "wording"),
    [
        ("1905-05-04", ["old"]),
        ("1905-05-05", ["new"]),
        ("[1905-05-04..1905-05-05]", []),
        ("1899-12-31", []),
    ],
)
def test_the_wording_that_applied_is_the_one_certainly_valid_on_the_day(conclude, day, wording):
    world = conclude(ARTICLE.replace("DAY", day))
    assert world("ask", "foedus:appliedVersion") == wording
    assert world("ask", "foedus:underTreaty") == ["foedus-cassianum"]


def test_mutual_blame_for_the_same_incident_is_a_contradiction_both_ways(conclude):
    world = conclude("""
id:carthage a foedus:State . id:clash a foedus:Incident . id:other-clash a foedus:Incident .
id:one a foedus:ResponsibilityClaim ; foedus:claimant id:rome ; foedus:blames id:carthage ; foedus:about id:clash .
id:two a foedus:ResponsibilityClaim ; foedus:claimant id:carthage ; foedus:blames id:rome ; foedus:about id:clash .
id:elsewhere a foedus:ResponsibilityClaim ; foedus:claimant id:carthage ; foedus:blames id:rome ;
  foedus:about id:other-clash .
""")
    assert (world("one", "foedus:contradicts"), world("two", "foedus:contradicts")) == (["two"], ["one"])
    assert world("elsewhere", "foedus:contradicts") == []


VALUES = """
id:in foedus:source id:annals .
id:claim-a a foedus:ValueClaim ; foedus:about id:in ; foedus:aspect foedus:occurred ;
  foedus:value "VALUE" ; foedus:reportedIn id:SOURCE .
"""


@pytest.mark.parametrize(
    ("value", "source", "days"),
    [("1900-03-01", "fasti", ["59"]), ("1899-12-31", "fasti", ["1"]), ("1900", "fasti", [])],
)
def test_another_value_from_another_source_is_a_disagreement(conclude, value, source, days):
    world = conclude(IN + VALUES.replace("VALUE", value).replace("SOURCE", source))
    assert world("disagreement-claim-a", "foedus:sourceA") == ["annals"]
    assert world("disagreement-claim-a", "foedus:valueB") == [value]
    assert world("disagreement-claim-a", "foedus:daysApart") == days


@pytest.mark.parametrize(("value", "source"), [("1900-01-01", "fasti"), ("1900-03-01", "annals")])
def test_the_same_value_or_the_same_source_is_no_disagreement(conclude, value, source):
    world = conclude(IN + VALUES.replace("VALUE", value).replace("SOURCE", source))
    assert world("disagreement-claim-a", "rdf:type") == []


def test_spells_have_english_names_with_their_dates(conclude):
    world = conclude(IN + OUT + AGAIN)
    assert world("membership-league-rome-1", "rdfs:label") == [
        "Rome, member of the Latin League, 1900-01-01 to 1910-06-30"
    ]
    assert world("binding-foedus-cassianum-rome-2", "rdfs:label") == [
        "Rome, party to the Cassian Treaty, since [1920-01-01..1921-06-30]"
    ]


def test_a_part_of_a_part_is_part_of_the_whole(conclude):
    world = conclude("id:shot foedus:partOf id:clash . id:clash foedus:partOf id:war .")
    assert world("shot", "foedus:partOf") == ["clash", "war"]


GONE = """
id:gone a foedus:Dissolution ; foedus:dissolves id:league ; foedus:takesEffect "1930-01-01" .
"""


def test_a_dissolution_ends_the_memberships_and_leaves_the_bindings(conclude):
    world = conclude(IN + GONE)
    assert world("membership-league-rome-1", "foedus:endedBy") == ["gone"]
    assert world("membership-league-rome-1", "foedus:until") == ["1929-12-31"]
    assert world("binding-foedus-cassianum-rome-1", "foedus:endedBy") == []


def test_a_dissolution_ends_no_membership_that_ended_before(conclude):
    world = conclude(IN + OUT + AGAIN + GONE)
    assert world("membership-league-rome-1", "foedus:endedBy") == ["out"]
    assert world("membership-league-rome-2", "foedus:endedBy") == ["gone"]


def test_a_bond_that_ends_after_the_dissolution_ends_no_membership(conclude):
    world = conclude(IN + GONE + act("late", "Withdrawal", "1940-01-01", "1940-01-01"))
    assert world("membership-league-rome-1", "foedus:endedBy") == ["gone"]
    assert world("binding-foedus-cassianum-rome-1", "foedus:endedBy") == ["late"]


def test_a_bond_that_begins_after_the_dissolution_makes_no_member(conclude):
    world = conclude(GONE + act("late", "Accession", "1940-01-01", "1940-01-01"))
    assert world("binding-foedus-cassianum-rome-1", "foedus:begunBy") == ["late"]
    assert world("membership-league-rome-1", "foedus:begunBy") == []


CITED = """
id:annals a foedus:Source ; rdfs:label "Annals"@en .
id:list a foedus:Source ; rdfs:label "List"@en .
id:of-list a foedus:Coverage ; foedus:coverageOf id:list .
id:in foedus:source id:annals , id:list .
id:again foedus:source id:annals .
"""


def test_a_source_covers_the_time_of_the_facts_that_were_taken_from_it(conclude):
    world = conclude(IN + act("again", "Accession", "1920-05") + CITED)
    assert world("drawn-from-annals-membership", "foedus:coveredFrom") == ["1900-01-01"]
    assert world("drawn-from-annals-membership", "foedus:coveredLatest") == ["1920-05-31"]
    assert world("drawn-from-annals-incident", "rdf:type") == []


def test_a_source_that_says_what_it_covers_is_taken_at_its_word(conclude):
    assert conclude(IN + CITED)("drawn-from-list-membership", "rdf:type") == []


GAUL = 'id:gaul a foedus:State ; rdfs:label "Gaul"@en .\n'


def test_a_state_succeeds_the_one_that_it_absorbed(conclude):
    end = 'id:end a foedus:Extinction ; foedus:ofState id:gaul ; foedus:occurred "1900"'
    assert conclude(f"{GAUL}{end} ; foedus:absorbedBy id:rome .")("rome", "foedus:succeeds") == ["gaul"]
    assert conclude(f"{GAUL}{end} .")("rome", "foedus:succeeds") == []


@pytest.mark.parametrize(
    ("kind", "ended", "succeeded"), [("partition", True, ["gaul"]), ("partition", False, []), ("secession", True, [])]
)
def test_a_state_succeeds_the_one_from_whose_breakup_it_emerged(conclude, kind, ended, succeeded):
    end = "id:end a foedus:Extinction ; foedus:ofState id:gaul .\n" if ended else ""
    independence = (
        "id:independence a foedus:Independence ; foedus:ofState id:rome ; "
        f"foedus:independenceKind foedus:{kind} ; foedus:independentFrom id:gaul .\n"
    )
    assert conclude(GAUL + end + independence)("rome", "foedus:succeeds") == succeeded


@pytest.mark.parametrize(
    ("first", "scheme", "ended", "succeeded"),
    [
        ("1991-01-01", "COW", True, ["gaul"]),
        ("1991-01-02", "COW", True, []),
        ("1991-01-01", "Gleditsch–Ward", True, []),
        ("1991-01-01", "COW", False, []),
    ],
)
def test_a_state_succeeds_the_one_whose_number_it_has_from_the_next_day(conclude, first, scheme, ended, succeeded):
    end = "id:end a foedus:Extinction ; foedus:ofState id:gaul .\n" if ended else ""
    codes = (
        'id:old a foedus:CodeAssignment ; foedus:ofState id:gaul ; foedus:codeScheme "COW" ; foedus:code "9" ; '
        'foedus:validUntil "1990-12-31" .\n'
        f'id:new a foedus:CodeAssignment ; foedus:ofState id:rome ; foedus:codeScheme "{scheme}" ; foedus:code "9" ; '
        f'foedus:validFrom "{first}" .\n'
    )
    assert conclude(GAUL + end + codes)("rome", "foedus:succeeds") == succeeded


def test_a_membership_is_ended_once_however_its_end_and_the_dissolution_are_known(conclude):
    world = conclude(act("in", "Accession", "1900-05-01") + act("out", "Withdrawal", "1900", "1900") + GONE)
    assert world("membership-league-rome-1", "foedus:endedBy") == ["out"]


LATINS = """
id:praeneste a foedus:State . id:tibur a foedus:State . id:lanuvium a foedus:State .
id:foedus-dataset foedus:asOf "1950-01-01"^^xsd:date .
"""
ALL = "ofState id:rome , id:praeneste , id:tibur"
JOINED = LATINS + act("in", "EntryIntoForce", "1900-01-01", "1900-01-01").replace("ofState id:rome", ALL)
"""Three states, members from 1900 on with no end in sight; a fourth never joins."""
ROLL = (
    'id:roll a foedus:Attestation ; foedus:asOf "1920-12-31"^^xsd:date ; foedus:attests id:league ; foedus:'
    + ALL
    + " .\n"
)
"""The three are certainly members up to the end of 1920."""
MAY_JOIN = act("later", "Accession", "[1905-01-01..1905-12-31]", "[1905-01-01..1905-12-31]").replace("rome", "lanuvium")
"""The fourth accedes on some day of 1905 and is certainly bound on no later one, for want of an attestation."""


def war(day, states="id:rome , id:praeneste", name="war"):
    """An incident of *states* on *day* in Turtle."""
    return f'id:{name} a foedus:Incident ; foedus:participant {states} ; foedus:began "{day}" .\n'


@pytest.mark.parametrize(
    ("day", "certain", "possible"),
    [
        ("1899-12-31", False, False),
        ("1900-01-01", True, False),
        ("1920-12-31", True, False),
        ("1921-01-01", False, True),
        ("[1899-06-01..1900-06-01]", False, True),
        ("[1920-06-01..1921-06-01]", False, True),
        ("[1900-06-01..1910-06-01]", True, False),
    ],
)
def test_an_incident_fell_within_a_membership_that_covers_every_day_it_can_be_of(conclude, day, certain, possible):
    world = conclude(JOINED + ROLL + war(day))
    spells = [f"{spell}-{state}-1" for spell in ("binding-foedus-cassianum", "membership-league") for state in PAIR]
    assert world("war", "foedus:fellWithin") == (spells if certain else [])
    assert world("war", "foedus:mayHaveFallenWithin") == (spells if possible else [])
    assert world("war", "foedus:betweenAllies") == (["league"] if certain else [])
    assert world("war", "foedus:possiblyBetweenAllies") == (["league"] if possible else [])


PAIR = ("praeneste", "rome")


def test_what_is_certain_of_one_ally_and_possible_of_the_other_is_possible_of_both(conclude):
    states = "id:rome , id:lanuvium"
    world = conclude(JOINED + ROLL + MAY_JOIN + war("1905-06-01", states))
    assert world("war", "foedus:fellWithin") == ["binding-foedus-cassianum-rome-1", "membership-league-rome-1"]
    assert world("war", "foedus:betweenAllies") == []
    assert world("war", "foedus:possiblyBetweenAllies") == ["league"]
    assert conclude(JOINED + ROLL + MAY_JOIN + war("1904-12-31", states))("war", "foedus:possiblyBetweenAllies") == []


PLEDGE = """
id:article a foedus:Article ; foedus:articleOf id:foedus-cassianum .
id:wording a foedus:ArticleVersion ; foedus:versionOf id:article ; foedus:introducedBy id:in ;
    foedus:hasObligation foedus:defence .
"""


def plea(day="1905-06-01", more=""):
    """Rome invokes the article on *day*, in Turtle; *more* is said of the request."""
    return PLEDGE + (
        f'id:plea a foedus:ArticleInvocation ; foedus:invokes id:article ; foedus:requestedOn "{day}" ;'
        f" foedus:requestedBy id:rome ; foedus:asksFor foedus:militaryAssistance {more} .\n"
    )


@pytest.mark.parametrize(
    ("day", "obliged", "possibly"),
    [
        ("1899-12-31", [], []),
        ("1904-12-31", ["praeneste", "tibur"], []),
        ("1905-06-01", ["praeneste", "tibur"], ["lanuvium"]),
        ("1925-01-01", [], ["lanuvium", "praeneste", "tibur"]),
    ],
)
def test_a_request_obliges_who_is_certainly_bound_and_perhaps_who_may_be(conclude, day, obliged, possibly):
    world = conclude(JOINED + ROLL + MAY_JOIN + plea(day))
    assert world("plea", "foedus:obliged") == obliged
    assert world("plea", "foedus:possiblyObliged") == possibly


def test_a_one_sided_wording_and_an_attack_on_a_party_oblige_the_others_only(conclude):
    one_sided = conclude(JOINED + ROLL + plea() + "id:wording foedus:obliges id:tibur .")
    assert one_sided("plea", "foedus:obliged") == ["tibur"]
    attacked = war("1905-05-30", "id:praeneste") + "id:war foedus:attackedState id:praeneste ."
    world = conclude(JOINED + ROLL + plea(more="; foedus:triggeredBy id:war") + attacked)
    assert world("plea", "foedus:obliged") == ["tibur"]


def test_a_wording_without_obligation_obliges_nobody(conclude):
    text = plea().replace(" ;\n    foedus:hasObligation foedus:defence", "")
    assert conclude(JOINED + ROLL + text)("plea", "foedus:obliged") == []


REPLY = 'id:{0} a foedus:{1} ; foedus:{2} id:plea ; foedus:occurred "{3}" ; foedus:provides foedus:{4} .\n'


@pytest.mark.parametrize(
    ("replies", "answer"),
    [
        ("", "unanswered"),
        (REPLY.format("d", "Decision", "decisionOn", "1905-06-02", "militaryAssistance"), "answered"),
        (REPLY.format("o", "Outcome", "outcomeOf", "1905-06-02", "militaryAssistance"), "answered"),
        (REPLY.format("d", "Decision", "decisionOn", "1905-06-02", "consultations"), "answeredOtherwise"),
        (REPLY.format("d", "Decision", "decisionOn", "1950-01-02", "militaryAssistance"), "unanswered"),
        (
            REPLY.format("d", "Decision", "decisionOn", "1905-06-02", "consultations")
            + REPLY.format("o", "Outcome", "outcomeOf", "1905-06-03", "militaryAssistance"),
            "answered",
        ),
        ('id:d a foedus:Decision ; foedus:decisionOn id:plea ; foedus:occurred "1905-06-02" .', "unanswered"),
    ],
)
def test_a_request_is_answered_by_what_it_asked_for_up_to_the_day_of_the_data_set(conclude, replies, answer):
    assert conclude(JOINED + plea() + replies)("plea", "foedus:answer") == [answer]


def test_a_request_after_the_day_of_the_data_set_is_not_yet_unanswered(conclude):
    assert conclude(JOINED + plea("1950-01-02"))("plea", "foedus:answer") == []


def test_a_decision_fell_within_the_membership_of_who_had_asked(conclude):
    decided = 'id:d a foedus:Decision ; foedus:decisionOn id:plea ; foedus:occurred "{}" .'
    world = conclude(JOINED + ROLL + plea() + decided.format("1905-06-02"))
    assert world("d", "foedus:fellWithin") == ["binding-foedus-cassianum-rome-1", "membership-league-rome-1"]
    assert world("d", "foedus:mayHaveFallenWithin") == []
    late = conclude(JOINED + ROLL + plea() + decided.format("1930"))
    assert late("d", "foedus:fellWithin") == []
    assert late("d", "foedus:mayHaveFallenWithin") == ["binding-foedus-cassianum-rome-1", "membership-league-rome-1"]


@pytest.mark.parametrize(("wording", "bound"), [("defence", ["tibur"]), ("consultation", [])])
def test_an_ally_of_two_that_fight_is_bound_to_both_sides_if_it_pledged_defence(conclude, wording, bound):
    text = PLEDGE.replace("foedus:defence", f"foedus:{wording}")
    fighting = 'id:y a foedus:ConflictYear ; foedus:year {} ; foedus:began "1890-01-01" ; {} .'
    sides = "foedus:sideA id:rome ; foedus:sideB id:praeneste"
    for day, certain, possible in (("1905-06-01", bound, []), ("1925-06-01", [], bound), ("1899-06-01", [], [])):
        world = conclude(JOINED + ROLL + text + war(day) + fighting.format(day[:4], sides))
        for event in ("war", "y"):
            assert world(event, "foedus:boundToBothSides") == certain
            assert world(event, "foedus:possiblyBoundToBothSides") == possible


def test_an_ally_that_may_have_joined_may_be_bound_to_both_sides(conclude):
    world = conclude(JOINED + ROLL + MAY_JOIN + PLEDGE + war("1905-06-01"))
    assert world("war", "foedus:boundToBothSides") == ["tibur"]
    assert world("war", "foedus:possiblyBoundToBothSides") == ["lanuvium"]


def test_who_pledged_nothing_itself_is_bound_to_no_side(conclude):
    one_sided = PLEDGE + "id:wording foedus:obliges id:rome .\n"
    world = conclude(JOINED + ROLL + one_sided + war("1905-06-01"))
    assert world("war", "foedus:boundToBothSides") == world("war", "foedus:possiblyBoundToBothSides") == []


def test_allies_of_one_side_alone_are_not_bound_to_both_sides_of_a_conflict_year(conclude):
    fighting = (
        'id:y a foedus:ConflictYear ; foedus:year 1905 ; foedus:began "1890-01-01" ; '
        "foedus:sideA id:rome , id:praeneste ; foedus:sideB id:gaul ."
    )
    assert conclude(JOINED + ROLL + PLEDGE + GAUL + fighting)("y", "foedus:boundToBothSides") == []


def test_a_membership_that_is_certain_on_no_day_makes_fighting_between_allies_possible(conclude):
    came = act("came", "Accession", "1905-01-01", "[1904-01-01..1905-10-31]").replace("rome", "lanuvium")
    went = act("went", "Withdrawal", "1905-06-15", "[1905-06-15..1906-10-31]").replace("rome", "lanuvium")
    fighting = (
        'id:y a foedus:ConflictYear ; foedus:year 1905 ; foedus:began "1890-01-01" ; '
        "foedus:sideA id:rome ; foedus:sideB id:lanuvium ."
    )
    world = conclude(JOINED + ROLL + came + went + fighting)
    assert world("y", "foedus:betweenAllies") == []
    assert world("y", "foedus:possiblyBetweenAllies") == ["league"]


@pytest.mark.parametrize(
    ("year", "certain", "possible"), [(1899, [], []), (1905, ["tibur"], []), (1925, [], ["tibur"])]
)
def test_of_an_episode_of_several_years_a_conflict_year_ends_with_its_own(conclude, year, certain, possible):
    fighting = (
        f'id:y a foedus:ConflictYear ; foedus:year {year} ; foedus:began "1890-01-01" ; foedus:ended "1930-06-01" ; '
        "foedus:sideA id:rome ; foedus:sideB id:praeneste ."
    )
    world = conclude(JOINED + ROLL + PLEDGE + fighting)
    assert world("y", "foedus:boundToBothSides") == certain
    assert world("y", "foedus:possiblyBoundToBothSides") == possible


def test_what_never_held_on_one_day_is_not_even_possible(conclude):
    """Rome left the league before Lanuvium joined it, and the day of the war is known by its year alone."""
    left = act("left", "Withdrawal", "1905-03-01", "1905-03-01")
    joined = act("later", "Accession", "1905-06-01", "1905-06-01").replace("rome", "lanuvium")
    states = "id:rome , id:lanuvium"
    fighting = (
        'id:y a foedus:ConflictYear ; foedus:year 1905 ; foedus:began "1890-01-01" ; '
        "foedus:sideA id:rome ; foedus:sideB id:lanuvium ."
    )
    world = conclude(JOINED + ROLL + left + joined + PLEDGE + war("1905", states) + fighting)
    assert len(world("war", "foedus:mayHaveFallenWithin")) == 4
    for event in ("war", "y"):
        assert world(event, "foedus:possiblyBetweenAllies") == []
        assert world(event, "foedus:possiblyBoundToBothSides") == []


@pytest.mark.parametrize(
    ("year", "sides", "certain", "possible"),
    [
        (1905, "foedus:sideA id:rome ; foedus:sideB id:tibur", True, False),
        (1905, "foedus:sideA id:lanuvium ; foedus:supportsSideA id:rome ; foedus:sideB id:tibur", True, False),
        (1905, "foedus:sideA id:rome , id:tibur ; foedus:sideB id:lanuvium", True, False),
        (1905, 'foedus:sideA id:rome ; foedus:sideB id:lanuvium ; foedus:ended "1905-06-01"', False, True),
        (1904, "foedus:sideA id:rome , id:tibur ; foedus:sideB id:lanuvium", False, False),
        (1899, "foedus:sideA id:rome ; foedus:sideB id:tibur", False, False),
        (1899, 'foedus:sideA id:rome ; foedus:sideB id:tibur ; foedus:ended "1906-06-01"', False, False),
        (1905, 'foedus:sideA id:rome ; foedus:sideB id:tibur ; foedus:ended "1906-06-01"', True, False),
        (1904, 'foedus:sideA id:rome ; foedus:sideB id:lanuvium ; foedus:ended "1906-06-01"', False, False),
        (1921, "foedus:sideA id:rome ; foedus:sideB id:tibur", False, True),
    ],
)
def test_a_conflict_year_is_between_allies_on_opposite_sides_who_were_members_in_it(
    conclude, year, sides, certain, possible
):
    fighting = f'id:y a foedus:ConflictYear ; foedus:year {year} ; foedus:began "1890-01-01" ; {sides} .'
    world = conclude(JOINED + ROLL + MAY_JOIN + fighting)
    assert world("y", "foedus:betweenAllies") == ["league"] * certain
    assert world("y", "foedus:possiblyBetweenAllies") == ["league"] * possible


def truce(name, effect, more="", parties="id:rome , id:tibur"):
    """A ceasefire in one war in Turtle."""
    return (
        f'id:{name} a foedus:Ceasefire ; foedus:onIncident id:war ; foedus:takesEffect "{effect}" ;'
        f" foedus:ceasefireParty {parties} {more} .\n"
    )


def test_a_ceasefire_is_superseded_by_the_next_one_between_the_same_states(conclude):
    world = conclude(LATINS + truce("a", "1905-01-01") + truce("b", "1905-02-01") + truce("c", "1905-03"))
    assert [world(name, "foedus:supersededBy") for name in "abc"] == [["b"], ["c"], []]
    others = conclude(LATINS + truce("a", "1905-01-01") + truce("b", "1905-02-01", parties="id:tibur , id:lanuvium"))
    assert others("a", "foedus:supersededBy") == []


@pytest.mark.parametrize(
    ("effect", "held", "days"),
    [
        ("1905-01-01", "1905-01-01", ["1"]),
        ("1904-02-28", "1904-03-01", ["3"]),
        ("1905-01", "1905-01-31", []),
        ("1905-01-01", "1905", []),
        ("1905-01-02", "1905-01-01", []),
    ],
)
def test_the_days_that_a_ceasefire_held_are_counted_between_two_known_days(conclude, effect, held, days):
    assert conclude(LATINS + truce("a", effect, f'; foedus:heldUntil "{held}"'))("a", "foedus:daysHeld") == days


@pytest.mark.parametrize(("second", "agreed"), [("broken", ["broken"]), ("held", [])])
def test_a_verdict_is_agreed_upon_where_no_claim_says_otherwise(conclude, second, agreed):
    claims = "".join(
        f"id:{name} a foedus:CeasefireStatusClaim ; foedus:about id:a ; foedus:verdict foedus:{verdict} .\n"
        for name, verdict in (("one", "broken"), ("two", second))
    )
    assert conclude(LATINS + truce("a", "1905-01-01") + claims)("a", "foedus:agreedVerdict") == agreed


GREW = "id:union a foedus:Alliance ; foedus:constitutedBy id:pact ; foedus:basedOn id:foedus-cassianum ."


def test_a_binding_before_the_alliance_grew_from_it_is_without_membership(conclude):
    late = act("charter-in", "EntryIntoForce", "1915-01-01", treaty="pact")
    apart = conclude(GREW + IN + OUT + late)
    assert apart("binding-foedus-cassianum-rome-1", "foedus:withoutMembershipIn") == ["union"]
    assert apart("membership-union-rome-1", "foedus:withoutBindingBy") == ["foedus-cassianum"]
    overlapping = conclude(
        GREW + IN + OUT + act("charter-in", "EntryIntoForce", "[1910-06-30..1915-01-01]", treaty="pact")
    )
    assert overlapping("binding-foedus-cassianum-rome-1", "foedus:withoutMembershipIn") == []
    assert overlapping("membership-union-rome-1", "foedus:withoutBindingBy") == []


@pytest.mark.parametrize(
    ("charter", "certain", "possible"),
    [
        ("1910-07-01", True, False),
        ("1910-06-30", False, False),
        ("[1910-06-30..1910-07-01]", False, True),
        ("1910", False, True),
    ],
)
def test_a_binding_and_a_membership_meet_for_certain_perhaps_or_not(conclude, charter, certain, possible):
    world = conclude(GREW + IN + OUT + act("charter-in", "EntryIntoForce", charter, charter, treaty="pact"))
    binding, membership = "binding-foedus-cassianum-rome-1", "membership-union-rome-1"
    assert world(binding, "foedus:withoutMembershipIn") == ["union"] * certain
    assert world(binding, "foedus:possiblyWithoutMembershipIn") == ["union"] * possible
    assert world(membership, "foedus:withoutBindingBy") == ["foedus-cassianum"] * certain
    assert world(membership, "foedus:possiblyWithoutBindingBy") == ["foedus-cassianum"] * possible


def test_spells_that_one_act_begins_meet_however_little_is_known_of_its_day(conclude):
    world = conclude(act("in", "Accession", "1900", "1900") + act("out", "Withdrawal", "1900", "1900"))
    assert world("membership-league-rome-1", "foedus:begunBy") == ["in"]
    for property_ in ("withoutMembershipIn", "possiblyWithoutMembershipIn"):
        assert world("binding-foedus-cassianum-rome-1", f"foedus:{property_}") == []


def test_a_state_returned_to_what_it_had_left_and_to_what_grew_from_it(conclude):
    world = conclude(GREW + IN + OUT + AGAIN)
    assert world("membership-league-rome-2", "foedus:returnedAfter") == ["membership-league-rome-1"]
    assert world("binding-foedus-cassianum-rome-1", "foedus:returnedAfter") == []
    late = act("charter-in", "EntryIntoForce", "1915-01-01", treaty="pact")
    assert conclude(GREW + IN + OUT + late)("membership-union-rome-1", "foedus:returnedAfter") == [
        "binding-foedus-cassianum-rome-1"
    ]
    soon = act("charter-in", "EntryIntoForce", "1910-07-01", treaty="pact")
    assert conclude(GREW + IN + OUT + soon)("membership-union-rome-1", "foedus:returnedAfter") == []


@pytest.mark.parametrize(("joined", "continued"), [("1910-07-01", ["membership-league-rome-1"]), ("1910-07-02", [])])
def test_a_membership_continues_in_the_successor_without_a_day_between(conclude, joined, continued):
    successor = "id:union a foedus:Alliance ; foedus:constitutedBy id:pact ; foedus:succeeds id:league ."
    world = conclude(successor + IN + OUT + act("charter-in", "EntryIntoForce", joined, treaty="pact"))
    assert world("membership-union-rome-1", "foedus:continues") == continued
