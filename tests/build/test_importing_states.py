"""The list of states, made from small lists whose every answer is typed by hand."""

from pathlib import Path

import pytest
from pyoxigraph import Literal, RdfFormat, parse

from foedus import files, names
from foedus.build.importing import states
from foedus.errors import CannotRead

CROSSWALK = """state,label,article,iso3,cow,gw,divided_by,other_names,spellings,ended,comment
ruritania,Ruritania,,RUR,40,40,,Old Ruritania,Ruretania,,
union,Union,the,,36:1922-12-30/1991-12-25,36:1922-12-30/1991-12-25,almanac,,,1991 almanac,Both lists have one number.
moscovy,Moscovy,,MSC,36:/1922-12-29 36:1991-12-26/,36:/1922-12-29 36:1991-12-26/,almanac,,,,
west,West,,WES,25 26,26,,,,,
east,East,,,27,27,,,,,
splinter,Splinter,,SPL,41,41,,,,,
"""
FORMAL = ",".join(f"UNTERM {name} Formal" for name in ("English", "Arabic", "Spanish", "French", "Russian", "Chinese"))
CODES = f"""ISO3166-1-Alpha-3,ISO3166-1-Alpha-2,ISO3166-1-numeric,is_independent,official_name_en,official_name_ar,\
official_name_es,official_name_fr,official_name_ru,official_name_cn,{FORMAL},CLDR display name,FIFA,WMO
RUR,RU,4,Yes,Ruritania,روريتانيا,Ruritania,Ruritanie,Руритания,鲁里坦尼亚,the Kingdom of Ruritania,,,la République,\
Царство,,Rurit.,RTA,RR
MSC,MS,643,Yes,Moscovian Federation,,,,,,the Moscovian Federation *,,el Gran Estado,l'État,,,Moscovy,MSK/SOV,MO
WES,WE,276,Yes,West,,,,,,,,,,,,,WST,RR
SPL,SP,40,Yes,Splinter,,,,,,,,,,,,,,
ILE,IL,833,Crown dependency,Isle,,,,,,,,,,,,,,MO
"""
COW = """stateabb,ccode,statenme,styear,stmonth,stday,endyear,endmonth,endday,version
MSC,36,Moscovy,1816,1,1,2016,12,31,2016
RUR,40,Ruritania,1859,1,1,1915,7,28,2016
RUR,40,Ruritania,1934,8,15,2016,12,31,2016
WES,25,West,1816,1,1,1945,5,8,2016
WES,26,West,1955,5,5,1990,10,2,2016
WES,25,West,1990,10,3,2016,12,31,2016
EAS,27,East,1954,3,25,1990,10,2,2016
SPL,41,Splinter,1992,1,1,2016,12,31,2016
"""
GW = """gwcode,stateabb,statename,startdate,enddate
36.0,MSC,Moscovy,1816-01-01,2017-12-31
40.0,RUR,Ruritania,1816-01-01,2017-12-31
26.0,WES,West,1949-09-21,2017-12-31
27.0,EAS,East,1949-10-05,1990-10-03
41.0,SPL,Splinter,1991-12-24,2017-12-31
"""
ICOW = """State,Name,ColRuler,IndFrom,IndDate,IndViol,IndType,SecFrom,SecDate,SecViol,Into,IntoDate,COWsys,GWsys,Notes
40,Ruritania,40,-9,94308,1,1,-9,-9,-9,-9,-9,185901,181601,-9
26,West,-9,25,194909,1,4,25,194909,1,25,199010,195505,194909,-9
27,East,-9,25,194910,1,4,25,194910,1,25,199010,195403,194910,-9
41,Splinter,36,36,191811,1,2,36,199112,0,-9,-9,199201,199112,-9
36,Moscovy,-9,-9,162100,1,1,-9,-9,-9,-9,-9,181601,181601,-9
"""


@pytest.fixture
def lists(tmp_path):
    """The files by name; a test may change them before it makes the states."""
    made = {"crosswalk": CROSSWALK, "codes": CODES, "cow": COW, "gw": GW, "icow": ICOW}
    for name, text in made.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def make(folder: Path, icow: bool = True) -> states.Made:
    crosswalk, codes, cow, gw, colonial = (
        folder / f"{name}.csv" for name in ("crosswalk", "codes", "cow", "gw", "icow")
    )
    return states.make(crosswalk, codes, cow, gw, colonial if icow else None)


class Said:
    """What a generated file says: the values of a property of a thing, languages as in Turtle."""

    def __init__(self, text: str) -> None:
        self.about: dict[str, dict[str, list[str]]] = {}
        for triple in parse(text.encode(), format=RdfFormat.TURTLE):
            value = triple.object
            shown = value.value.rsplit("/", 1)[-1].rsplit("#", 1)[-1]
            if isinstance(value, Literal):
                shown = value.value + (f"@{value.language}" if value.language else "")
            subject = triple.subject.value.removeprefix(names.ID)
            predicate = names.curie(triple.predicate.value).removeprefix("foedus:")
            self.about.setdefault(subject, {}).setdefault(predicate, []).append(shown)

    def __call__(self, subject: str, predicate: str) -> list[str]:
        return sorted(self.about.get(subject, {}).get(predicate, []))

    def things(self, beginning: str) -> list[str]:
        return sorted(subject for subject in self.about if subject.startswith(beginning))


@pytest.fixture
def said(lists):
    return Said(make(lists).text)


def test_a_state_has_its_names_in_six_languages_without_articles(said):
    assert said("ruritania", "rdfs:label") == [
        "Ruritania@en",
        "Ruritania@es",
        "Ruritanie@fr",
        "Руритания@ru",
        "روريتانيا@ar",
        "鲁里坦尼亚@zh",
    ]
    assert said("ruritania", "skos:altLabel") == [
        "Kingdom of Ruritania@en",
        "Old Ruritania@en",
        "République@fr",
        "Царство@ru",
    ]
    assert said("ruritania", "skos:hiddenLabel") == ["Ruretania@en", "Rurit.@en"]
    assert said("moscovy", "skos:hiddenLabel") == []
    assert said("moscovy", "skos:altLabel") == ["Gran Estado@es", "Moscovian Federation@en", "État@fr"]


def test_a_state_has_its_current_iso_code_and_three_assignments(said):
    assert said("ruritania", "iso3") == ["RUR"]
    assert said("code-iso-3166-1-numeric-ruritania", "code") == ["004"]
    assert said("code-iso-3166-1-alpha-2-ruritania", "code") == ["RU"]
    assert said("code-iso-3166-1-alpha-3-ruritania", "validFrom") == []
    assert said("east", "iso3") == []


def test_a_state_has_the_codes_of_other_lists(said):
    assert said("code-fifa-ruritania", "code") + said("code-fifa-west", "code") == ["RTA", "WST"]
    assert said("code-wmo-moscovy", "codeScheme") == ["WMO"]


def test_a_cell_with_several_codes_and_a_code_of_two_states_are_left_out(said):
    assert said("code-fifa-moscovy", "code") == []
    assert said("code-wmo-ruritania", "code") + said("code-wmo-west", "code") == []


def test_an_interrupted_state_has_a_number_twice(said):
    assert said("code-cow-ruritania", "validFrom") + said("code-cow-ruritania", "validUntil") == [
        "1859-01-01",
        "1915-07-28",
    ]
    assert said("code-cow-ruritania-1934", "validFrom") == ["1934-08-15"]
    assert said.things("extinction-ruritania") == []


def test_a_list_that_stops_ends_no_code(said):
    assert said("code-cow-ruritania-1934", "validUntil") == []
    assert said("code-gleditsch-ward-ruritania", "validUntil") == []


def test_numbers_change_hands(said):
    assert [said(f"code-cow-west{year}", "code") for year in ("", "-1955", "-1990")] == [["25"], ["26"], ["25"]]
    assert said("code-cow-moscovy", "validUntil") == ["1922-12-29"]
    assert said("code-cow-union", "validFrom") == ["1922-12-30"]
    assert said("code-cow-union", "validUntil") == ["1991-12-25"]
    assert said("code-cow-moscovy-1991", "validFrom") == ["1991-12-26"]
    assert said("code-cow-union", "source") == ["almanac", "cow-state-system-2016"]
    assert said("code-cow-west", "source") == ["cow-state-system-2016"]
    assert said("code-gleditsch-ward-west", "source") == ["gleditsch-ward-2017"]


def test_an_abbreviation_has_the_days_of_the_number_beside_it(said):
    assert [said(f"code-cow-abbreviation-ruritania{year}", "code") for year in ("", "-1934")] == [["RUR"], ["RUR"]]
    assert said("code-cow-abbreviation-ruritania", "codeScheme") == ["COW abbreviation"]
    assert said("code-cow-abbreviation-ruritania", "validUntil") == ["1915-07-28"]
    assert said("code-cow-abbreviation-ruritania-1934", "validUntil") == []
    assert said("code-cow-abbreviation-union", "code") == ["MSC"]
    assert said("code-cow-abbreviation-union", "source") == ["almanac", "cow-state-system-2016"]
    assert said("code-cow-union", "code") == ["36"]
    assert said.things("code-gleditsch-ward-abbreviation") == []


def test_a_divided_number_ends_no_state_and_the_crosswalk_does(said):
    assert said.things("extinction-moscovy") == []
    assert said("extinction-union", "occurred") == ["1991"]
    assert said("extinction-union", "source") == ["almanac"]


def test_lists_that_disagree_on_the_end_have_one_event_each(said):
    assert said("extinction-east", "occurred") == ["1990-10-02"]
    assert said("extinction-east", "source") == ["cow-state-system-2016", "icow-colonial-history-1-1"]
    assert said("extinction-east", "absorbedBy") == ["west"]
    assert said("extinction-east-1990-10-03", "source") == ["gleditsch-ward-2017"]
    assert said("extinction-east-1990-10-03", "absorbedBy") == []


def test_no_state_is_absorbed_by_itself_or_independent_of_itself(said):
    assert said.things("extinction-west") == []
    assert said("independence-west", "occurred") == ["1949-09"]
    assert said("independence-west", "independentFrom") == []


def test_independence_is_from_the_state_that_had_the_number_then(said):
    assert said("independence-splinter", "independentFrom") == ["moscovy"]
    assert said("independence-splinter", "independenceKind") == ["decolonisation"]
    assert said("independence-splinter-1991", "independentFrom") == ["union"]
    assert said("independence-splinter-1991", "independenceKind") == ["secession"]


def test_months_and_years_are_as_precise_as_the_source(said):
    assert said("independence-ruritania", "occurred") == ["0943-08"]
    assert said("independence-moscovy", "occurred") == ["1621"]


def test_the_result_counts_what_it_holds(lists):
    made = make(lists)
    assert made.counts == {"states": 6, "code assignments": 42, "independences": 6, "extinctions": 3}
    assert made.unmapped == []


def test_without_the_colonial_history_there_is_no_independence(lists):
    said = Said(make(lists, icow=False).text)
    assert said.things("independence") == []
    assert said("extinction-east", "absorbedBy") == []


def test_the_columns_may_stand_in_another_order_and_days_be_german(lists):
    (lists / "gw.csv").write_text(
        "End,Start,Name of State,Cow Nr.,Remark\n31.12.2017,21.09.1949,West,26,x\n02.10.1990,05.10.1949,East,27,\n"
    )
    said = Said(make(lists).text)
    assert said("code-gleditsch-ward-west", "validFrom") == ["1949-09-21"]
    assert said("code-gleditsch-ward-east", "validUntil") == ["1990-10-02"]


def test_what_the_crosswalk_does_not_know_is_told(lists):
    (lists / "cow.csv").write_text(COW + "ATL,99,Atlantis,1900,1,1,1910,1,1,2016\n")
    (lists / "codes.csv").write_text(CODES + "ATL,AT,999,Yes,Atlantis,,,,,,,,,,,,,,\n")
    (lists / "icow.csv").write_text(ICOW + "99,Atlantis,-9,-9,190001,0,1,-9,-9,-9,-9,-9,190001,-9,-9\n")
    (lists / "crosswalk.csv").write_text(CROSSWALK + "gone,Gone,,GON,,,,,,,\n")
    assert make(lists).unmapped == [
        "codes.csv, line 7: no state of the crosswalk has the code ATL",
        "codes.csv: the code GON, of gone, is not there",
        "cow.csv, line 10: no state of the crosswalk has the number 99 on 1900-01-01",
        "cow.csv, line 10: no state of the crosswalk has the number 99 on 1910-01-01",
        "icow.csv, line 7: no state of the crosswalk has the number 99 in 1900-01",
    ]


def test_a_row_that_the_crosswalk_gives_to_nobody_is_written_without_a_state(lists):
    (lists / "cow.csv").write_text(
        COW + "ATL,99,Atlantis,1900,1,1,1910,1,1,2016\nATL,99,Atlantis,1950,1,1,2016,12,31,2016\n"
    )
    (lists / "codes.csv").write_text(CODES + "ATL,AT,999,Yes,Atlantis,,,,,,,,,,,,,,\n")
    (lists / "icow.csv").write_text(ICOW + "99,Atlantis,-9,-9,190001,0,1,-9,-9,-9,-9,-9,190001,-9,-9\n")
    said = Said(make(lists).text)
    assert said.things("code-cow-of") == ["code-cow-of-nobody-99-1900", "code-cow-of-nobody-99-1950"]
    assert said("code-cow-of-nobody-99-1900", "code") == ["99"]
    assert said("code-cow-of-nobody-99-1900", "codeScheme") == ["COW"]
    assert said("code-cow-of-nobody-99-1900", "ofState") == []
    assert said("code-cow-of-nobody-99-1900", "validFrom") == ["1900-01-01"]
    assert said("code-cow-of-nobody-99-1900", "validUntil") == ["1910-01-01"]
    assert said("code-cow-of-nobody-99-1950", "validUntil") == []
    assert said("code-cow-of-nobody-99-1950", "source") == ["cow-state-system-2016"]
    assert said("code-iso-3166-1-alpha-3-of-nobody-atl", "code") == ["ATL"]
    assert said("code-iso-3166-1-alpha-3-of-nobody-atl", "ofState") == []
    assert said("independence-of-nobody-99", "occurred") == ["1900-01"]
    assert said("independence-of-nobody-99", "ofState") == []


def test_a_number_that_the_crosswalk_gives_to_a_state_on_part_of_its_days_is_written_without_one_too(lists):
    (lists / "crosswalk.csv").write_text(
        CROSSWALK.replace("splinter,Splinter,,SPL,41,", "splinter,Splinter,,SPL,41:/2000-01-01,")
    )
    said = Said(make(lists).text)
    assert said("code-cow-splinter", "validUntil") == ["2000-01-01"]
    assert said("code-cow-of-nobody-41-1992", "validFrom") == ["1992-01-01"]


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("cow", "1859,1,1", "1859,13,1", "cow.csv, line 3: 1859-13-1 is not in the calendar."),
        ("cow", "1915,7,28", "1815,7,28", "cow.csv, line 3: it ends on 1815-07-28, before it begins on 1859-01-01."),
        ("cow", "ccode", "code", "cow.csv has no column ccode."),
        ("cow", "RUR,40", "Rur,40", "cow.csv, line 3: “Rur” is no abbreviation such as AUS."),
        ("gw", "40.0", "fourty", "gw.csv, line 3: “fourty” is no number of a state."),
        ("gw", "1816-01-01,2017", "soon,2017", "gw.csv, line 2: “soon” is no day."),
        ("codes", "RUR,RU,4", "RUR,RUS,4", "codes.csv, line 2: “RUR RUS 4” are no ISO codes."),
        ("codes", "MSC,MS", "RUR,MS", "codes.csv, line 3: RUR stands in line 2 already."),
        ("icow", "199112,0", "199113,0", "icow.csv, line 5: “199113” is no month such as 199112."),
        ("icow", "1,4,25,194909", "1,9,25,194909", "icow.csv, line 3: 9 is no type of independence, 1 to 4."),
        ("crosswalk", "ruritania,", "Ruri tania,", "line 2: “Ruri tania” is no local name such as united-states."),
        ("crosswalk", "25 26", "25 27", "crosswalk.csv, line 5: the cow number 27 is east’s on the same days."),
        ("crosswalk", "1991 almanac", "soon", "line 3: “soon” is no date and source, such as 1991"),
        ("crosswalk", "25 26", "25 x", "line 5: “x” is no number such as 365 or 365:1922-12-30/1991-12-25."),
        ("crosswalk", "WES", "RUR", "crosswalk.csv, line 5: RUR stands in line 2 already."),
        ("crosswalk", "West,,WES", "West,WES", "crosswalk.csv, line 5: 10 values for 11 columns."),
        ("cow", COW, "", "cow.csv has no column ccode; version; styear"),
        ("cow", COW, COW.splitlines()[0] + "\n", "cow.csv holds no rows."),
        ("cow", "Moscovy", '"Moscovy', "cow.csv, line 9:"),
    ],
)
def test_malformed_lists_are_told_by_line(lists, file, old, new, told):
    path = lists / f"{file}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CannotRead) as refused:
        make(lists)
    assert told in refused.value.message


def test_a_file_of_another_encoding_or_none_at_all_is_told(lists):
    (lists / "cow.csv").write_bytes("Curaçao".encode("latin-1"))
    with pytest.raises(CannotRead, match=r"cow\.csv: The byte 0xe7 is not UTF-8"):
        make(lists)
    (lists / "cow.csv").unlink()
    with pytest.raises(CannotRead, match="There is no file"):
        make(lists)


def test_a_byte_order_mark_is_no_fault(lists):
    (lists / "cow.csv").write_bytes(b"\xef\xbb\xbf" + COW.encode())
    assert make(lists).counts["states"] == 6


SHARED = files.ROOT.parent / "shared" / "datasets"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published lists are not at hand")
def test_the_shipped_file_is_made_of_the_published_lists():
    made = states.make(
        files.DATA / "crosswalk.csv",
        SHARED / "country-codes.csv",
        SHARED / "manystates_states2016.csv",
        SHARED / "peacesciencer_gw_states.csv",
        SHARED / "manystates_coldata110.csv",
    )
    assert made.unmapped == []
    assert made.text == (files.DATA / "generated" / "states.ttl").read_text(encoding="utf-8")


def test_every_local_name_of_the_shipped_states_is_one_that_others_lean_on():
    said = Said((files.DATA / "generated" / "states.ttl").read_text(encoding="utf-8"))
    fixed = "armenia united-states turkey czechia north-macedonia soviet-union east-germany czechoslovakia yugoslavia"
    assert all(said(state, "rdf:type") == ["State"] for state in fixed.split())
    assert said("code-cow-germany-1955", "code") == ["260"]
    assert said("code-cow-germany-1955", "validUntil") == ["1990-10-02"]
    assert said("code-cow-armenia", "code") == ["371"]
    assert said("code-gleditsch-ward-yemen", "validFrom") == ["1990-05-22"]
    assert said("independence-ukraine", "independentFrom") == ["soviet-union"]
    assert said("independence-finland", "independentFrom") == ["russia"]
