"""The pages in a real browser: nothing is blocked, nothing overflows, forms work, dark is dark."""

import os
import re
import shutil
import threading
from pathlib import Path

import pytest
from werkzeug.serving import make_server

playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = [
    "/",
    "/search?q=armenia",
    "/queries",
    "/queries/members-on",
    "/download",
    "/cite",
    "/cite?for=csto",
    "/queries/members-on?alliance=csto&date=2022-09-13&wikidata=iri",
    "/fragments?subject=id:csto",
    "/sparql",
    "/ontology",
    "/validate",
    "/ontology/LegalAct",
    "/shape/request-under",
    "/graph/asserted",
    "/.well-known/void",
    "/page/armenia",
    "/page/csto",
    "/page/collective-security-treaty",
    "/page/collective-security-treaty-article-4-armenia-2022-09-13",
    "/page/armenia-azerbaijan-2022-09",
    "/page/merkur-2022-09-16",
    "/page/merkur-2022-09-16-c05",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="the browser tests need chromium (apt install chromium)"),
]


@pytest.fixture(scope="module")
def site(app):
    """The address of the app, served by a thread of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium with a profile of its own."""
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def open_page(browser, site):
    """Opens an address at a width and in a colour scheme; complaints of the browser are kept with the page."""
    contexts = []

    def open_(address, width=1440, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda asked: asked.url.startswith(site) or page.complaints.append(asked.url))
        page.goto(site + address)
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("address", PAGES)
def test_the_browser_has_nothing_to_complain_about(open_page, address):
    """No violation of the policy, no error, no request to anybody else; and no sideways scrolling on a phone."""
    page = open_page(address, width=390)
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


@pytest.mark.parametrize("address", PAGES)
def test_what_can_be_hit_is_large_enough(open_page, address):
    """Buttons, fields and links that do not stand in a sentence or a table are at least 24 pixels high."""
    page = open_page(address, width=390)
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, .top a')]
            .filter(e => e.offsetParent && e.getBoundingClientRect().height < 24).map(e => e.outerHTML)"""
    )
    assert small == []


def luminance(colour):
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ["/", "/page/csto", "/queries/members-on", "/page/no-such-thing"])
def test_text_stands_out_from_its_ground(open_page, address, scheme):
    """Every text has a contrast of 4.5 to 1 or more, in light and in dark."""
    page = open_page(address, scheme=scheme)
    pairs = page.evaluate(
        """() => [...document.querySelectorAll('body *')]
            .filter(e => e.offsetParent && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
            .map(e => {
              let ground = e;
              const colour = (of) => getComputedStyle(of).backgroundColor;
              while (ground.parentElement && colour(ground) === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
              return [getComputedStyle(e).color, colour(ground)];
            })"""
    )
    assert len(pairs) > 10
    assert [pair for pair in set(map(tuple, pairs)) if contrast(*pair) < 4.5] == []


def test_dark_is_dark(open_page):
    """The ground follows the colour scheme that the reader's system asks for."""
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert luminance(open_page("/", scheme="dark").evaluate(ground)) < 0.05
    assert luminance(open_page("/", scheme="light").evaluate(ground)) > 0.8


def test_a_question_is_asked_by_its_form(open_page):
    """Choose a day, press the button: the answer is there, and its address can be shared."""
    page = open_page("/queries/members-on")
    page.select_option("select[name=alliance]", "csto")
    page.fill("input[name=date]", "2010-06-12")
    page.click("form.ask button")
    assert page.url.endswith("/queries/members-on?alliance=csto&date=2010-06-12")
    assert page.locator("tbody tr").count() == 7
    assert "Uzbekistan" in page.locator("tbody").inner_text()
    assert page.complaints == []


def test_a_query_is_run_by_its_form(open_page):
    """The example in the text area runs as it stands."""
    page = open_page("/sparql")
    page.click("form.write button")
    assert page.locator("tbody tr").count() > 5
    assert page.complaints == []


def test_a_keyboard_reaches_the_content_first(open_page):
    """The first tab stop is the skip link, visible once it has the focus."""
    page = open_page("/page/csto")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_picture_of_the_readme_is_what_is_served(open_page, tmp_path):
    """A question with its answer; saved to the path in FOEDUS_PICTURE where that is set."""
    target = Path(os.environ.get("FOEDUS_PICTURE") or tmp_path / "picture.png")
    page = open_page("/queries/obliged-by", width=1200)
    assert page.locator("tbody tr").count() == 5
    box = page.locator("table").bounding_box()
    page.screenshot(
        path=target, full_page=True, clip={"x": 0, "y": 0, "width": 1200, "height": box["y"] + box["height"] + 24}
    )
    assert target.stat().st_size > 10_000
