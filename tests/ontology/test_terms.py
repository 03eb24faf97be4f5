"""Every term of the ontology is documented, declared once, and what the rest of the house calls it."""

import re
from collections import Counter

import pytest
from rdflib import OWL, RDF, RDFS, SKOS, Graph, Literal, Namespace, URIRef

from foedus import files, names

FOEDUS = Namespace(names.ONTOLOGY)
ONTOLOGY = URIRef(names.ONTOLOGY.removesuffix("#"))
KINDS = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)

CONTRACT = """
    Alliance MemberState Ceasefire ArticleInvocation State FormerMemberState Treaty Article Membership TreatyBinding
    LegalAct Incident Claim Source CodeAssignment
"""

CLASSES = """
    Agent Person Organisation Organ LegalText ArticleVersion Spell SignatorySpell Interruption Event Request Decision
    Outcome BeginningAct EntryIntoForce Accession Readmission EndingAct Expiry Withdrawal Denunciation InterruptingAct
    Suspension Freeze Signature Ratification RefusalToExtend Announcement Notification Establishment CasualtyClaim
    ResponsibilityClaim CeasefireStatusClaim ValueClaim Attestation ObligationKind AssistanceKind Assessment
    ReadingStatus HarmKind CeasefireVerdict ClaimTopic Grouping Termination PerformanceClaim MembershipClaim Coverage
    ObligationCondition IncidentKind Performance SourceKind FactKind Completeness
    Independence Extinction ArmedConflict ConflictYear IndependenceKind ConflictType Intensity Dissolution
    AnswerKind
"""

OBJECT_PROPERTIES = """
    constitutedBy basedOn organOf amends extends articleOf versionOf introducedBy replaces hasObligation ofState
    ofTreaty ofAlliance doneBy establishes dissolves attests begunBy endedBy interrupts lastAttestedBy everMemberOf
    everPartyTo requestedBy addressedTo invokes underTreaty asksFor triggeredBy appliedVersion decisionOn decidedBy
    outcomeOf provides
    participant partOf onIncident ceasefireParty announcedBy mediatedBy agreedBy claimant reporter reportedIn about
    supportedBy correctedBy topic assessment victimsOf harm blames verdict contradicts source actsFor reading author
    derivedFrom hasCondition obliges namesAsThreat succeeds ofOrgan incidentKind attackedState performer performance
    sourceKind coverageOf factKind completeness independenceKind independentFrom absorbedBy ofConflict conflictType
    intensity sideA sideB supportsSideA supportsSideB fellWithin mayHaveFallenWithin obliged possiblyObliged answer
    betweenAllies possiblyBetweenAllies boundToBothSides possiblyBoundToBothSides supersededBy agreedVerdict
    withoutMembershipIn possiblyWithoutMembershipIn withoutBindingBy possiblyWithoutBindingBy returnedAfter continues
"""

EDTF_PROPERTIES = """
    occurred takesEffect enteredIntoForce requestedOn articleNamedOn announcedOn began ended statedOn published
    heldUntil validFrom validUntil coveredFrom coveredUntil
"""

OTHER_DATATYPE_PROPERTIES = """
    edtfDate occurredEarliest occurredLatest takesEffectEarliest takesEffectLatest requestedEarliest requestedLatest
    beganEarliest beganLatest endedEarliest endedLatest beginEarliest beginLatest endEarliest endLatest from until
    spellNumber status effectiveAt asOf minCount maxCount value unattributed articleNumber iso3 code codeScheme
    paragraph statement assessmentNote summary preferenceReason publisher language url sha256 office statedIn
    independenceNote coveredEarliest coveredLatest year daysHeld unmappedParty leavesOut
"""

ANNOTATIONS = "aspect counterExample earliestBound latestBound primary statusWord"

LISTS = {
    "ObligationKind": "defence consultation nonAggression neutrality offence",
    "AssistanceKind": "militaryAssistance materialAssistance observerMission consultations",
    "Assessment": "supported imprecise incomplete contradicted opinion timeBound unsourced notChecked",
    "ReadingStatus": "readWhole readExcerpt readThroughAnother",
    "HarmKind": "killed injured deadOrMissing evacuated",
    "CeasefireVerdict": "held broken",
    "ObligationCondition": """
        territorialCondition armedAttackCondition aggressorCondition requestCondition constitutionalCondition
        noInitiationCondition agreementCondition discretionCondition
    """,
    "IncidentKind": "interstateAttack internalCrisis terroristAttack airspaceViolation territorialThreat",
    "Performance": "honoured violated abstained joinedTheAttacker",
    "SourceKind": """
        treatyText officialStatement officialRecord newsReport scholarlyWork dataset referenceWork publicDocument
    """,
    "FactKind": """
        membershipFacts obligationFacts defenceFacts invocationFacts incidentFacts conflictFacts codeFacts claimFacts
    """,
    "Completeness": "complete incompleteRoll sampled",
    "IndependenceKind": "stateFormation decolonisation secession partition",
    "ConflictType": "interstate internationalisedIntrastate",
    "Intensity": "minorConflict war",
    "AnswerKind": "answered answeredOtherwise unanswered",
    "ClaimTopic": """
        publicationTopic conflictTopic onsetTopic blameTopic deathsTopic injuriesTopic relationTopic capabilityTopic
        roleTopic ceasefireTopic requestTopic organisationTopic characterisationTopic foundingTopic deploymentTopic
        invocationTopic textTopic meetingTopic decisionTopic motiveTopic forcesTopic predictionTopic identityTopic
        creditTopic membershipTopic terminologyTopic clashTopic mediationTopic statementTopic disputeTopic borderTopic
        patternTopic priorityTopic demandTopic behaviourTopic
    """,
}


@pytest.fixture(scope="module")
def core() -> Graph:
    return Graph().parse(files.ONTOLOGY / "foedus.ttl")


@pytest.fixture(scope="module")
def schemes() -> Graph:
    return Graph().parse(files.ONTOLOGY / "schemes.ttl")


@pytest.fixture(scope="module")
def alignments() -> Graph:
    return Graph().parse(files.ONTOLOGY / "alignments.ttl")


def ours(graph: Graph, kind: URIRef) -> set[URIRef]:
    """The terms of our namespace that are of the class *kind*."""
    return {each for each in graph.subjects(RDF.type, kind) if str(each).startswith(names.ONTOLOGY)}


def terms(graph: Graph) -> set[URIRef]:
    return set().union(*(ours(graph, kind) for kind in KINDS))


def local(nodes: set[URIRef]) -> set[str]:
    return {str(node).removeprefix(names.ONTOLOGY) for node in nodes}


def test_the_classes_of_the_contract_exist(core):
    assert set(CONTRACT.split()) - local(ours(core, OWL.Class)) == set()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (OWL.Class, {*CONTRACT.split(), *CLASSES.split()}),
        (OWL.ObjectProperty, {*OBJECT_PROPERTIES.split()}),
        (OWL.DatatypeProperty, {*EDTF_PROPERTIES.split(), *OTHER_DATATYPE_PROPERTIES.split()}),
        (OWL.AnnotationProperty, {*ANNOTATIONS.split()}),
    ],
    ids=["classes", "object properties", "datatype properties", "annotation properties"],
)
def test_the_vocabulary_has_every_name_that_others_lean_on(core, kind, expected):
    assert expected - local(ours(core, kind)) == set()


@pytest.mark.parametrize("kind", LISTS)
def test_a_closed_list_has_exactly_its_values(schemes, kind):
    assert local(set(schemes.subjects(RDF.type, FOEDUS[kind]))) == set(LISTS[kind].split())


@pytest.mark.parametrize("predicate", [RDFS.label, SKOS.definition, SKOS.example])
def test_every_term_says_in_english_what_it_is(core, predicate):
    without = [
        term
        for term in terms(core)
        if not any(isinstance(text, Literal) and text.language == "en" for text in core.objects(term, predicate))
    ]
    assert terms(core)
    assert without == []


def test_every_value_of_a_list_has_a_label_a_definition_and_an_example(schemes):
    values = ours(schemes, SKOS.Concept)
    wanted = {RDFS.label, SKOS.definition, SKOS.example}
    assert values
    assert [each for each in values if not wanted <= set(schemes.predicates(each))] == []


def test_everything_of_ours_says_where_it_is_defined(core, schemes):
    everything = terms(core) | ours(schemes, SKOS.Concept) | ours(schemes, SKOS.ConceptScheme)
    graph = core + schemes
    assert [each for each in everything if list(graph.objects(each, RDFS.isDefinedBy)) != [ONTOLOGY]] == []


def test_a_definition_is_one_sentence(core, schemes):
    graph = core + schemes
    texts = [str(text) for text in graph.objects(None, SKOS.definition)]
    assert texts
    assert [text for text in texts if not re.fullmatch(r"[A-Z][^.!?]*\.", text)] == []


def test_no_two_terms_share_a_definition_or_a_label(core):
    for predicate in (RDFS.label, SKOS.definition):
        count = Counter(str(text) for text in core.objects(None, predicate))
        assert [text for text, number in count.items() if number > 1] == []


def test_every_term_is_described_once_in_the_core_file(core):
    text = (files.ONTOLOGY / "foedus.ttl").read_text(encoding="utf-8")
    for name in local(terms(core)):
        assert len(re.findall(rf"^foedus:{name} a ", text, re.MULTILINE)) == 1, name


def test_every_term_that_is_used_in_the_ontology_exists(core, schemes):
    graph = core + schemes
    for path in files.ONTOLOGY.glob("*.ttl"):
        graph += Graph().parse(path)
    used = {term for triple in graph for term in triple if isinstance(term, URIRef) and term.startswith(names.ONTOLOGY)}
    known = terms(core) | ours(schemes, SKOS.Concept) | ours(schemes, SKOS.ConceptScheme)
    assert used - known == set()


def test_the_dates_that_sources_give_are_edtf_strings(core):
    assert local(set(core.subjects(RDFS.subPropertyOf, FOEDUS.edtfDate))) == set(EDTF_PROPERTIES.split())


def test_no_date_property_has_a_range(core):
    """HermiT stops at the mere mention of xsd:date."""
    dates = {FOEDUS[name] for name in (*EDTF_PROPERTIES.split(), "edtfDate", "asOf", "effectiveAt")}
    dates |= {each for each in ours(core, OWL.DatatypeProperty) if each.endswith(("Earliest", "Latest"))}
    assert len(dates) > 25
    assert [each for each in dates if list(core.objects(each, RDFS.range))] == []


def test_a_date_has_both_bounds_and_the_ends_of_a_coverage_have_the_outer_one(core):
    """How far a coverage reaches: the first day that its beginning allows, and the last that its end allows."""
    earliest = dict(core.subject_objects(FOEDUS.earliestBound))
    latest = dict(core.subject_objects(FOEDUS.latestBound))
    dates = {"occurred", "takesEffect", "requestedOn", "began", "ended"}
    assert local(set(earliest)) == {*dates, "coveredFrom"}
    assert local(set(latest)) == {*dates, "coveredUntil"}
    assert {*earliest.values(), *latest.values()} <= ours(core, OWL.DatatypeProperty)


def test_every_kind_of_spell_and_of_interruption_has_its_status_word(core):
    words = {
        str(each).removeprefix(names.ONTOLOGY): str(word) for each, word in core.subject_objects(FOEDUS.statusWord)
    }
    assert words == {
        "Membership": "member",
        "TreatyBinding": "party",
        "SignatorySpell": "signatory",
        "Freeze": "frozen",
        "Suspension": "suspended",
    }


def test_the_header_says_what_it_is_and_under_which_terms(core):
    found = {names.curie(str(each)) for each in core.predicates(ONTOLOGY)}
    assert found >= {
        "owl:versionIRI",
        "owl:versionInfo",
        "dcterms:title",
        "dcterms:description",
        "dcterms:creator",
        "dcterms:license",
        "dcterms:created",
        "dcterms:modified",
        "vann:preferredNamespacePrefix",
        "vann:preferredNamespaceUri",
    }


def test_alignments_say_nothing_new_about_our_terms(alignments):
    """Ours lie below theirs and never the other way round, and nothing is said of how ours relate to one another."""
    links = [triple for triple in alignments if triple[1] != RDF.type]
    assert links
    assert [each for each in links if not each[0].startswith(names.ONTOLOGY)] == []
    assert [each for each in links if each[2].startswith(names.ONTOLOGY)] == []
    assert {predicate for _, predicate, _ in links} == {RDFS.subClassOf, RDFS.subPropertyOf, SKOS.closeMatch}


def test_the_redirects_cover_every_address_that_is_ours():
    text = (files.ONTOLOGY / "w3id.htaccess").read_text(encoding="utf-8")
    patterns = re.findall(r"^RewriteRule (\^\S*) %\{ENV:TARGET\}(\S*) \[R=30[37],L\]$", text, re.MULTILINE)
    things = ("ontology", "ontology/0.1.0", "id/csto", "shape/Alliance", "graph/asserted", "")
    for asked in (
        *things,
        "queries",
        "queries/members-on",
        "download/foedus.nq",
        "sparql",
        ".well-known/void",
        "context.jsonld",
    ):
        fitting = [(pattern, target) for pattern, target in patterns if re.search(pattern, asked)]
        assert len(fitting) == 1, asked
        pattern, target = fitting[0]
        assert re.sub(pattern, target.replace("$1", r"\1"), asked) == f"/{asked}"


def test_the_worked_example_of_the_readme_is_turtle():
    text = (files.ONTOLOGY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```turtle\n(.*?)```", text, re.DOTALL)
    prefixes = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in names.PREFIXES.items())
    assert blocks
    for block in blocks:
        assert len(Graph().parse(data=prefixes + block, format="turtle")) > 0
