"""A drawing as part of the page: one `<svg>` with a name, a description, ids of its own and colours by class.

matplotlib writes colours and fonts into style attributes and reuses ids from figure to figure. Here a style becomes
attributes, a colour of the house style a class that the page's sheet colours for light, dark and print (no style
attribute remains, so the page can forbid them), and every id takes the drawing's id in front.
"""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from xml.etree import ElementTree

from markupsafe import Markup
from matplotlib.figure import Figure

from equipoise.report.figures.axes import house_style

SVG = "http://www.w3.org/2000/svg"
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
FONT_SIZE = re.compile(r"(\d+(?:\.\d+)?)px")
REFERENCE = re.compile(r"url\(#([^)]+)\)")

# The colours of house.mplstyle and of `figures.arms`, and the class that stands for each.
COLOUR_CLASSES = {
    "#111111": "ink",
    "#666666": "quiet",
    "#dddddd": "rule",
    "#fefefe": "paper",
    "#1b3a6b": "arm-1",
    "#c96a00": "arm-2",
    "#2e7d5b": "arm-3",
    "#8e3a80": "arm-4",
    "#5a5a00": "arm-5",
    "#7a4a2a": "arm-6",
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure ready for the page.

    Args:
        id: unique on the page.
        title: what it is, in a few words; spoken by a screen reader.
        description: what it shows, in a sentence or two.
        svg: the markup.
    """

    id: str
    title: str
    description: str
    svg: Markup


def from_matplotlib(figure: Figure, id: str, title: str, description: str) -> Drawing:
    """The figure as a drawing; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), house_style():
        # Text stays text: the reader's browser has a font for it even where matplotlib's own lacks the letter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ElementTree.fromstring(buffer.getvalue())  # noqa: S314 - matplotlib wrote it a line above
    _, _, width, height = root.attrib["viewBox"].split()
    shapes = [_cleaned(child, id) for child in root if child.tag in (f"{{{SVG}}}g", f"{{{SVG}}}defs")]
    _drop_unused_ids(shapes)
    body = "".join(_text_of(shape) for shape in shapes if _keeps(shape))
    return Drawing(id, title, description, framed(id, title, description, float(width), float(height), Markup(body)))  # noqa: S704


def framed(id: str, title: str, description: str, width: float, height: float, body: Markup) -> Markup:
    """The body in an `<svg>` that scales, with its name and description."""
    return Markup(
        '<svg class="drawing" id="{id}" role="img" aria-labelledby="{id}-title {id}-description" '
        'viewBox="0 0 {width} {height}" width="{width}" height="{height}" xmlns="http://www.w3.org/2000/svg">'
        '<title id="{id}-title">{title}</title><desc id="{id}-description">{description}</desc>{body}</svg>'
    ).format(id=id, title=title, description=description, width=_short(width), height=_short(height), body=body)


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _cleaned(element: ElementTree.Element, id: str) -> ElementTree.Element:
    """A copy without style sheets, style attributes, namespaces and foreign ids."""
    copy = ElementTree.Element(element.tag.removeprefix(f"{{{SVG}}}"))
    copy.text = element.text if copy.tag == "text" else None
    for name, value in _attributes(element).items():
        if name == "id":
            copy.set("id", f"{id}-{value}")
        elif name == XLINK_HREF:
            copy.set("href", f"#{id}-{value.removeprefix('#')}")
        else:
            copy.set(name, REFERENCE.sub(rf"url(#{id}-\1)", value))
    copy.extend(_cleaned(child, id) for child in element if child.tag not in (f"{{{SVG}}}style", f"{{{SVG}}}metadata"))
    return copy


def _attributes(element: ElementTree.Element) -> dict[str, str]:
    """The element's attributes, those of its style among them."""
    attributes = {name: value for name, value in element.attrib.items() if name != "style"}
    classes = []
    is_text = element.tag == f"{{{SVG}}}text"
    for name, value in _declarations(element.get("style", "")):
        if name in ("fill", "stroke") and value in COLOUR_CLASSES:
            classes.append(f"{name}-{COLOUR_CLASSES[value]}")
        elif name in ("font", "font-size"):
            attributes["font-size"] = _font_size(value)
            if "bold" in value or re.search(r"\b[67]00\b", value):
                classes.append("bold")
        elif name == "font-weight":
            classes.append("bold")
        elif name != "font-family":
            attributes[name] = value
    if is_text and not any(name.startswith("fill-") for name in classes):
        classes.append("fill-ink")
    if classes:
        attributes["class"] = " ".join(classes)
    return attributes


def _declarations(style: str) -> list[tuple[str, str]]:
    pairs = (declaration.partition(":") for declaration in style.split(";") if declaration.strip())
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _font_size(value: str) -> str:
    found = FONT_SIZE.search(value)
    assert found, value
    return found.group(1)


def _drop_unused_ids(shapes: list[ElementTree.Element]) -> None:
    """Keep an id only where something refers to it."""
    elements = [element for shape in shapes for element in shape.iter()]
    used = {element.get("href", "").removeprefix("#") for element in elements}
    used |= {name for element in elements for value in element.attrib.values() for name in REFERENCE.findall(value)}
    for element in elements:
        if element.get("id") not in used:
            element.attrib.pop("id", None)


def _keeps(shape: ElementTree.Element) -> bool:
    return len(shape) > 0


def _text_of(shape: ElementTree.Element) -> str:
    ElementTree.indent(shape, space="")
    return ElementTree.tostring(shape, encoding="unicode")
