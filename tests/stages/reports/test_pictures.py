"""The pictures of a page, each a document of its own."""

from __future__ import annotations

from xml.etree import ElementTree

from keepfit.stages.reports import page
from keepfit.stages.reports.canvas import SMALL
from keepfit.stages.reports.curves import dependence_chart
from keepfit.stages.reports.figures import Figures
from keepfit.stages.reports.pictures import pictures

SVG = "{http://www.w3.org/2000/svg}"


def shown(label: str, canvas: str = "wide") -> page.Html:
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" width="10" height="5">'
    svg = f'{opening}<g><path d="M0,0"/></g></svg>'
    return page.figure("kind", "says", "read", [(canvas, svg)])


def test_a_picture_is_a_document_on_white_named_by_what_it_shows():
    found = pictures(page.page("title", shown("Precision and recall: pr_auc 0.9."), shown("phone", "narrow")))
    (name, svg), *others = found.items()
    assert (name, others) == ("precision_and_recall", [])
    tree = ElementTree.fromstring(svg)
    assert (tree.tag, tree.get("width")) == (f"{SVG}svg", "10")
    assert [one.tag for one in tree] == [f"{SVG}rect", f"{SVG}g"]
    assert tree[0].get("fill") == "#ffffff"


def test_of_pictures_side_by_side_each_is_named_by_its_title():
    charts = [("one", "sales_count_30d", lambda canvas: dependence_chart([{"x": 0, "y": 1}], canvas))]
    found = pictures(Figures().cards("Dependence", "says", "read", charts))
    assert list(found) == ["dependence_sales_count_30d"]
    assert ElementTree.fromstring(found["dependence_sales_count_30d"]).get("width") == str(SMALL.width)


def test_two_pictures_of_one_name_are_both_kept():
    assert list(pictures(page.join([shown("ROC: a"), shown("ROC: b")]))) == ["roc", "roc_1"]
