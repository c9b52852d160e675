"""Where a text shows a secret: however it is written, and also when only a part of it is there."""

import random
from collections.abc import Callable

import pytest

from pytest_totphog.secrecy import spellings

SECRET = b"JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ"
FOURS = ["JBSW", "Y3DP", "EHPK", "3PXP", "GEZD", "GNBV", "GY3T", "QOJQ"]


@pytest.fixture
def base32() -> spellings.Spelling:
    """What finds the one secret."""
    spelling = spellings.base32()
    spelling.add(SECRET, 7)
    return spelling


def shown(spelling: spellings.Spelling, text: str) -> list[str]:
    """Return what of a text was found."""
    return [text[start:end] for start, end, _ in spelling.spans(text.encode("ascii", "replace"))]


@pytest.mark.parametrize(
    "written",
    [
        "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ",
        "jbswy3dpehpk3pxpgezdgnbvgy3tqojq",
        " ".join(FOURS),
        "  ".join(FOURS),
        "-".join(FOURS).lower(),
        "\n".join(FOURS),
        "\u00a0".join(FOURS),
        "\u2010".join(FOURS),
        "%20".join(FOURS),
        "+".join(FOURS),
        "&nbsp;".join(FOURS),
        r"\n".join(FOURS),
        r"\xa0".join(FOURS),
        "<br>".join(FOURS),
        '</span><span class="four">'.join(FOURS),
        r"</span><span class=\"four\">".join(FOURS),
        '"],["SPAN",{"class":"four"},"'.join(FOURS),
        '"]," ",["B",{},"'.join(FOURS),
        "\x1b[0m \x1b[1m".join(FOURS),
    ],
)
def test_spelling(base32: spellings.Spelling, written: str) -> None:
    """In any case, in groups, escaped for URLs, HTML and Python: it is found from its first to its last character."""
    assert shown(base32, f"<p>Secret: {written}!</p>") == [written]


def test_where_it_stands(base32: spellings.Spelling) -> None:
    """Each place is told, with the number under which the secret was added."""
    text = b"a JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ, jbswy3dpehpk3pxpgezdgnbvgy3tqojq"
    assert base32.spans(text) == [(2, 34, 7), (36, 68, 7)]


@pytest.mark.parametrize("before", ["", "x", "xx", "xxx", "xxxx"])
@pytest.mark.parametrize("part", ["JBSWY3DP", "DPEHPK3P", "GY3TQOJQ", "Y3DPEHPK3PXP"])
def test_part(base32: spellings.Spelling, before: str, part: str) -> None:
    """What was cut short, as pytest does with long values, is found from eight characters up."""
    assert shown(base32, f"{before}.{part}...") == [part]


def test_seven_characters(base32: spellings.Spelling) -> None:
    """Fewer are left alone: they are of no use, and other texts may have them by chance."""
    assert shown(base32, "JBSWY3D... and QOJQ") == []


def test_attributes_of_tags_are_read(base32: spellings.Spelling) -> None:
    """A tag between groups is passed over, and what stands inside of one is not."""
    assert shown(base32, '<input value="JBSW Y3DP EHPK 3PXP">') == ["JBSW Y3DP EHPK 3PXP"]


def test_text_without_secrets(base32: spellings.Spelling) -> None:
    """Other texts, empty and short ones too, show nothing."""
    assert shown(base32, "a page about JBSW and Y3DP, nothing else; ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == []
    assert shown(base32, "") == []


def test_short_secret() -> None:
    """A secret of five bytes is the shortest that is looked for."""
    spelling = spellings.base32()
    spelling.add(b"ME", 0)
    spelling.add(b"MFRGGZDF", 1)
    assert shown(spelling, "ME, myself and mfrg gzdf") == ["mfrg gzdf"]


@pytest.mark.parametrize(
    "written",
    [
        "48656c6c6f21deadbeef",
        "48656C6C6F21DEADBEEF",
        "48:65:6c:6c:6f:21:de:ad:be:ef",
        "48 65 6c 6c 6f 21 de ad be ef",
        r"48\x65\x6c\x6c\x6f\x21\xde\xad\xbe\xef",
    ],
)
def test_hexadecimal(written: str) -> None:
    """The key as hexadecimal digits, in any case and with what stands between them."""
    spelling = spellings.hexadecimal()
    spelling.add(b"48656C6C6F21DEADBEEF", 0)
    assert shown(spelling, f"key={written};") == [written]


@pytest.mark.parametrize(
    "written", ["SGVsbG8h3q2+7w/4", "SGVsbG8h3q2-7w_4", "SGVsbG8h3q2%2B7w%2f4", "SGVsbG8h\n3q2+7w/4"]
)
def test_base64(written: str) -> None:
    """The key in base64: of the usual alphabet, of the one for URLs, and percent-encoded."""
    spelling = spellings.base64()
    spelling.add(b"SGVsbG8h3q2+7w/4", 0)
    assert shown(spelling, f"data={written}&") == [written]


def test_base64_minds_the_case() -> None:
    """What differs in case are other bytes."""
    spelling = spellings.base64()
    spelling.add(b"SGVsbG8h3q2+7w/4", 0)
    assert shown(spelling, "sgvSBG8H3Q2+7W/4") == []


@pytest.mark.parametrize(
    ("spelling", "least"), [(spellings.base32, 8), (spellings.hexadecimal, 16), (spellings.base64, 12)]
)
@pytest.mark.parametrize("length", [8, 9, 13, 16, 26, 40])
def test_every_part_at_every_place(spelling: Callable[[], spellings.Spelling], least: int, length: int) -> None:
    """Not every place in a text is looked at, nor every sample of a key; still no part of the least length escapes."""
    key, finds = bytes(random.Random(length).choices(b"ABCDEF234567", k=length)), spelling()
    finds.add(key, 7)
    part = min(least, length)
    places = [(offset, before) for offset in range(length - part + 1) for before in range(8)]

    found = [finds.spans(b"." * before + key[offset : offset + part] + b".") for offset, before in places]

    assert found == [[(before, before + part, 7)] for _, before in places]
