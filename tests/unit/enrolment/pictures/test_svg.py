"""SVG: what QR libraries draw is drawn, and nothing that grows, loads or runs."""

import io
import sys
from base64 import b64encode
from typing import Any
from urllib.parse import quote

import pytest
import segno
import zxingcpp
from PIL import Image

from pytest_totphog import InvalidInput, MissingExtra
from pytest_totphog.enrolment.pictures.svg import MAX_BYTES, draw_svg

HTML = (
    "this is markup that begins with TAG, such as a page's HTML; accepted is what the page shows: its QR code as "
    "<svg …>…</svg> or the src of its <img>, its otpauth:// link, or its secret"
)

URI = "otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP&issuer=Example"
CODE = segno.make(URI, error="m")
SIZE = CODE.symbol_size(border=4)[0]
MODULES = [(x, y) for y, row in enumerate(CODE.matrix_iter(border=4)) for x, module in enumerate(row) if module]


CANNOT = "the SVG cannot be drawn, or draws more than any QR code has; take a screenshot of it instead"


def scanned(svg: str | bytes, ground: str = "white") -> list[str]:
    """Return what a reader sees when the SVG lies on a ground."""
    layer = draw_svg(svg).convert("RGBA")
    page = Image.new("RGBA", layer.size, ground)
    page.alpha_composite(layer)
    return [code.text for code in zxingcpp.read_barcodes(page.convert("L"))]


def svg(content: str, attributes: str = f'viewBox="0 0 {SIZE} {SIZE}"') -> str:
    """Return an SVG document."""
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{content}</svg>'


def is_eye(x: int, y: int) -> bool:
    """Return whether a module is of a finder pattern, which libraries that draw round ones leave square."""
    return min(x, SIZE - 1 - x) < 11 and min(y, SIZE - 1 - y) < 11


SQUARE = "M{x},{y}H{right}V{bottom}H{x}z"


def path(command: str, eye: str = "") -> str:
    """Return the path data that draws each module by a command, which has its place for {x} and {y}."""
    return "".join(
        (eye if eye and is_eye(x, y) else command).format(x=x, y=y, right=x + 1, bottom=y + 1, middle=y + 0.5)
        for x, y in MODULES
    )


# As libraries draw. The shapes are those of qrcode, segno, node-qrcode, qrcode.react, BaconQrCode and qrcode-generator.

SQUARES = f'<path d="{path(SQUARE)}"/>'


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(svg(SQUARES), id="path with H and V"),
        pytest.param(svg(f'<path d="{path("M{x} {y}h1v1h-1z")}"/>'), id="path with h and v"),
        pytest.param(svg(f'<path d="{path("M{x},{y}l1,0 0,1 -1,0 0,-1z ")}"/>'), id="path with l"),
        pytest.param(svg(f'<path d="{path("M{x} {y}L{right} {y}L{right} {bottom}L{x} {bottom}Z")}"/>'), id="with L"),
        pytest.param(
            svg(f'<path stroke="#000" d="{path("M{x} {middle}h1")}"/>'), id="strokes, with a fill that has no area"
        ),
        pytest.param(
            svg("".join(f'<rect x="{x}" y="{y}" width="1" height="1"/>' for x, y in MODULES)), id="rectangles"
        ),
        pytest.param(
            svg(
                "".join(f'<svg:rect x="{x}mm" y="{y}mm" width="1mm" height="1mm"/>' for x, y in MODULES),
                f'xmlns:svg="http://www.w3.org/2000/svg" width="{SIZE}mm" height="{SIZE}mm"',
            ),
            id="rectangles in millimetres, with a prefix",
        ),
        pytest.param(
            svg(
                "".join(
                    f'<rect x="{x}" y="{y}" width="1" height="1"/>'
                    if is_eye(x, y)
                    else f'<circle cx="{x + 0.5}" cy="{y + 0.5}" r="0.5"/>'
                    for x, y in MODULES
                )
            ),
            id="circles",
        ),
        pytest.param(
            svg(f'<path d="{path("M{x},{middle}A.5,.5 0 0 0 {right},{middle}A.5,.5 0 0 0 {x},{middle}z", SQUARE)}"/>'),
            id="arcs",
        ),
        pytest.param(
            svg(f'<path d="{path("M{x} {middle}a.5.5 0 011 0 .5.5 0 01-1 0z", SQUARE)}"/>'),
            id="arcs as minifiers write them",
        ),
        pytest.param(svg(f'<path d="{path("M{x} {y}q.5 -.1 1 0t0 1c-.3 .1 -.6 .1 -1 0s0 -.5 0 -1z")}"/>'), id="curves"),
        pytest.param(
            svg("".join(f'<polygon points="{x},{y} {x + 1},{y} {x + 1},{y + 1} {x},{y + 1}"/>' for x, y in MODULES)),
            id="polygons",
        ),
        pytest.param(
            svg(
                f'<rect width="{SIZE * 5}" height="{SIZE * 5}" fill="#fefefe"/><g transform="scale(5)">'
                f'<g transform="translate(4,4)"><g transform="translate(-4,-4)">{SQUARES}</g></g></g>',
                f'width="{SIZE * 5}" height="{SIZE * 5}"',
            ),
            id="transforms within each other",
        ),
        pytest.param(
            svg(
                f'<g transform="rotate(30 {SIZE / 2} {SIZE / 2})">{SQUARES}</g>',
                f'viewBox="-9 -9 {SIZE + 18} {SIZE + 18}"',
            ),
            id="turned",
        ),
        pytest.param(svg(f'<g transform="matrix(0 1 -1 0 {SIZE} 0)">{SQUARES}</g>'), id="matrix"),
        pytest.param(
            svg(f'<rect width="100%" height="100%" fill="#123"/><g style="fill: rgb(255, 250, 240)">{SQUARES}</g>'),
            id="light on dark, by style",
        ),
        pytest.param(
            svg(f'<rect width="100%" height="100%" fill="white"/><g fill="currentColor">{SQUARES}</g>'),
            id="in the page's colour",
        ),
        pytest.param(svg(f"<svg>{SQUARES}</svg>"), id="svg within svg"),
        pytest.param(svg(f'<defs><rect width="99" height="99"/></defs>{SQUARES}'), id="definitions are not drawn"),
        pytest.param(
            svg(
                f'{SQUARES}<rect width="99" height="99" fill="none"/><rect width="99" height="99" opacity="0"/>'
                '<rect width="99" height="99" fill="#0000"/><g visibility="hidden"><rect width="99" height="99"/></g>'
                '<rect width="99" height="99" display="none"/><rect width="99" height="99" fill-opacity="0"/>'
            ),
            id="what is not seen is not drawn",
        ),
        pytest.param(svg(f"<title>a &amp; b</title><text>Scan</text>{SQUARES}"), id="texts are not drawn"),
        pytest.param(f"<?xml version='1.0' encoding='UTF-8'?>\n<!-- code -->{svg(SQUARES)}", id="declaration"),
        pytest.param(
            '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
            + svg(SQUARES),
            id="document type",
        ),
        pytest.param(svg(SQUARES).encode("utf-16"), id="utf-16"),
        pytest.param(svg(SQUARES).replace(' xmlns="http://www.w3.org/2000/svg"', ""), id="as it stands in a page"),
    ],
)
def test_code_is_drawn(document: str | bytes) -> None:
    """A reader sees the code."""
    assert scanned(document) == [URI]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scale": 3, "dark": "darkblue", "light": "white"},
        {"unit": "mm", "scale": 2.5},
        {"dark": "#fff", "light": "#000"},
        {"dark": "red", "data_dark": "green", "light": "white", "scale": 4},
        {"omitsize": True},
        {"border": 0},
        {"draw_transparent": True, "light": None},
    ],
    ids=str,
)
def test_what_segno_draws(options: dict[str, Any]) -> None:
    """In its colours and units, with a border and without."""
    out = io.BytesIO()
    CODE.save(out, kind="svg", **options)

    assert scanned(out.getvalue()) == [URI]
    assert scanned(out.getvalue().decode()) == [URI]


PNG = CODE.png_data_uri(scale=4)
FRAME = f'viewBox="0 0 {SIZE} {SIZE}" width="{SIZE}" height="{SIZE}"'


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            '<defs><rect id="m" width="1" height="1"/></defs>'
            + "".join(f'<use href="#m" x="{x}" y="{y}"/>' for x, y in MODULES),
            id="use",
        ),
        pytest.param(
            '<symbol id="m" viewBox="0 0 1 1"><rect width="1" height="1"/></symbol>'
            + "".join(f'<use xlink:href="#m" x="{x}" y="{y}" width="1" height="1"/>' for x, y in MODULES),
            id="use of a symbol, by a prefix that the page declares",
        ),
        pytest.param(
            f'<clipPath id="c">{SQUARES}</clipPath><rect width="99" height="99" clip-path="url(#c)"/>', id="clip path"
        ),
        pytest.param(
            f"<clipPath id='c'>{SQUARES}</clipPath><rect width='99' height='99' style='clip-path: url( \"#c\" )'/>",
            id="clip path by style",
        ),
        pytest.param(
            '<style>.a { fill: #fff } .b { fill: rgb(0 0 0) }</style><rect class="a" width="99" height="99"/>'
            + SQUARES.replace("<path", '<path fill="white" class="b"'),
            id="classes",
        ),
        pytest.param(
            f"<style><![CDATA[g > path {{ fill: black }} /* & */]]></style><g fill='white'>{SQUARES}</g>",
            id="style sheet that is not escaped",
        ),
        pytest.param(
            f'<linearGradient id="g"><stop stop-color="#003"/><stop offset="1" stop-color="#300"/></linearGradient>'
            f'<g fill="url(#g)">{SQUARES}</g>',
            id="gradient",
        ),
        pytest.param(
            f'<mask id="k"><g fill="white">{SQUARES}</g></mask><rect mask="url(#k)" width="99" height="99"/>', id="mask"
        ),
        pytest.param(f'<image href="{PNG}" width="{SIZE}" height="{SIZE}"/>', id="picture"),
        pytest.param(f'<image xlink:href="\n{PNG}" width="100%" height="100%"/>', id="picture, by a prefix"),
        pytest.param(
            f'<image href="data:image/svg+xml,{quote(svg(SQUARES, FRAME))}" width="{SIZE}" height="{SIZE}"/>', id="svg"
        ),
        pytest.param(
            f'<a href="https://example.com/app"><title>Get it</title>{SQUARES}</a><script>alert(1)</script>'
            '<rect sodipodi:width="99" inkscape:height="99"/><metadata><rdf:RDF about="https://example.com"/></metadata>',
            id="links, scripts and other programs' elements",
        ),
        pytest.param(f'{SQUARES}<image href="data:broken" width="9" height="9"/>', id="picture that is none"),
    ],
)
def test_what_is_drawn_by_reference(content: str) -> None:
    """Parts by their name, style sheets, and pictures within the picture."""
    assert scanned(svg(content)) == [URI]


def test_hole_by_the_even_odd_rule() -> None:
    """An outline within another is a hole by one rule; by the other one only when it turns the other way."""
    square = "M0 0H10V10H0z"

    def middle(inner: str, rule: str) -> int:
        return draw_svg(svg(f'<path fill-rule="{rule}" d="{square}{inner}"/>', 'viewBox="0 0 10 10"')).getpixel(
            (400, 400)
        )[3]

    same_turn, other_turn = "M3 3H7V7H3z", "M3 3V7H7V3z"
    assert [middle(same_turn, "evenodd"), middle(other_turn, "evenodd")] == [0, 0]
    assert [middle(same_turn, "nonzero"), middle(other_turn, "nonzero")] == [255, 0]


def test_ground_stays_transparent() -> None:
    """Whether the page is light or dark is not the picture's to say."""
    picture = draw_svg(svg('<rect x="5" width="5" height="10" fill="white"/>', 'viewBox="0 0 10 10"'))

    assert (picture.mode, picture.size) == ("RGBA", (800, 800))
    assert (picture.getpixel((100, 400)), picture.getpixel((700, 400))) == ((0, 0, 0, 0), (255, 255, 255, 255))


def test_view_box_says_what_is_shown() -> None:
    """Also one that begins elsewhere, and is not square."""
    picture = draw_svg(svg('<rect x="110" y="-10" width="10" height="10"/>', 'viewBox="100 -20 40 20"'))

    assert picture.size == (800, 400)
    assert picture.getchannel("A").getbbox() == (200, 200, 400, 400)


# Refusals


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("<svg", r"the SVG is not well-formed: unclosed token: line 1, column 0"),
        ("<svg><path></svg>", r"the SVG is not well-formed: mismatched tag: line 1, column 13"),
        ("<svg>&nbsp;</svg>", r"the SVG is not well-formed: undefined entity: line 1, column 5"),
        ("<html><body/></html>", HTML.replace("TAG", "<html>")),
        ("<svg>\ud800</svg>", "the SVG has a character or an encoding that cannot be read"),
        (b"<?xml version='1.0' encoding='none'?><svg/>", "the SVG has a character or an encoding that cannot be read"),
        (b"<?xml version='1.0' encoding='big5'?><svg/>", "the SVG has a character or an encoding that cannot be read"),
        (svg(" " * MAX_BYTES), "the SVG has 1048642 bytes; accepted are 1048576, more than any QR code needs"),
        ("<svg width='1' height='1e-300'/>", CANNOT),
    ],
)
def test_refused_document(document: str | bytes, message: str) -> None:
    """The sentence says where, or what is accepted."""
    with pytest.raises(InvalidInput) as caught:
        draw_svg(document)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    "doctype",
    [
        '[<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]',
        '[<!ENTITY b SYSTEM "file:///etc/passwd">]',
        '[<!ENTITY % b "c">]',
        '[<!ATTLIST text b CDATA "aaaaaaaa">]',
        'PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [<!ENTITY b "c">]',
        'SYSTEM "file:///etc/passwd"',
        'PUBLIC "-//EXAMPLE//DTD" "https://example.com/a.dtd"',
    ],
)
def test_declarations_are_refused(doctype: str) -> None:
    """They grow to gigabytes (billion laughs), and read files (XXE)."""
    with pytest.raises(
        InvalidInput, match=r"^the SVG declares an entity or a document type of its own, and no QR code needs one$"
    ):
        draw_svg(f"<!DOCTYPE svg {doctype}><svg><text>b</text></svg>")


@pytest.mark.parametrize("address", ["https://example.com/a.png", "file:///etc/passwd", "/a.png", "a.svg#b", "//a", ""])
@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('<image href="{}"/>', "has its <image>"),
        ('<image xlink:href="{}"/>', "has its <image>"),
        ('<use href="{}"/>', "has its <use>"),
        ('<filter><feImage href="{}"/></filter>', "has its <feImage>"),
        ('<g fill="url({})"/>', "has a part of its style"),
        ("<g style=\"fill: Url( '{}' )\"/>", "has a part of its style"),
        ("<style>g {{ fill: url( {} ) }}</style>", "has a part of its style"),
        ("<style>@import '{}';</style>", "has a part of its style"),
        ("<style>@im<!-- -->port '{}';</style>", "has a part of its style"),
    ],
)
def test_what_is_elsewhere_is_refused(content: str, what: str, address: str) -> None:
    """Another address, whether a file's or a server's, is never looked at; the sentence does not show it."""
    within = f"<image href='data:image/svg+xml;base64,{b64encode(svg(content.format(address)).encode()).decode()}'/>"

    for document in (svg(content.format(address)), svg(within)):
        with pytest.raises(InvalidInput) as caught:
            draw_svg(document)
        assert str(caught.value) == (
            f"the SVG {what} at another address, and nothing is loaded; accepted are data: URLs and its own parts "
            "(#id), or take a screenshot of it"
        )


def many_uses(levels: int) -> str:
    """Return what draws ten times as much with each level."""
    uses = [f'<use href="#a{level}"/>' for level in range(levels)]
    nested = "".join(f'<g id="a{level}">{use * 10}</g>' for level, use in enumerate(uses, start=1))
    return f'<defs><rect id="a0" width="1" height="1"/>{nested}</defs><use href="#a{levels}"/>'


def large_picture(side: int) -> str:
    """Return an image of many pixels and few bytes."""
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    return f'<image width="9" height="9" href="data:image/png;base64,{b64encode(out.getvalue()).decode()}"/>'


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("<g>" * 40_000 + "</g>" * 40_000, id="depth"),
        pytest.param(many_uses(9), id="uses of uses"),
        pytest.param(large_picture(16_000), id="pixels"),
        pytest.param('<rect width="99" height="99" fill="#0001"/>' * 20_000, id="shapes"),
    ],
)
def test_bomb(content: str) -> None:
    """What would end the process, or take all its time or memory, ends another one."""
    with pytest.raises(InvalidInput) as caught:
        draw_svg(svg(content))

    assert str(caught.value) == CANNOT


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "resvg_py", None)

    with pytest.raises(MissingExtra) as caught:
        draw_svg(svg(SQUARES))

    assert str(caught.value) == (
        "reading a QR code from SVG needs resvg-py; install it with: pip install 'pytest-totphog[qr]'"
    )


def test_the_largest_qr_code_is_no_bomb() -> None:
    """As its path; with an element for each module, codes of up to 600 characters pass."""
    large = segno.make("x" * 2953, error="l")
    elements = "".join(
        f'<svg:rect x="{x}mm" y="{y}mm" width="1mm" height="1mm" />'
        for y, row in enumerate(segno.make("x" * 600, error="l").matrix_iter(border=4))
        for x, module in enumerate(row)
        if module
    )

    assert scanned(large.svg_inline()) == ["x" * 2953]
    size = segno.make("x" * 600, error="l").symbol_size(border=4)[0]
    assert scanned(svg(elements, f'xmlns:svg="s" width="{size}mm" height="{size}mm"')) == ["x" * 600]
