"""Programs are divided into tokens as rustc divides them; comments and strings that do not end are refused."""

import pytest

from sandbox.grading.lexer import tokens


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/* a /* b */ c */ x", ["x"]),
        ("/*/ */ x", ["x"]),
        ("a // b\nc /// d", ["a", "c"]),
        ('r#type + br##"x"#"##', ["type", "+", 'br##"x"#"##']),
        ('"a\\"b" c"d" b"e"', ['"a\\"b"', 'c"d"', 'b"e"']),
        ("'a' 'b: '\\'' '\\u{1F600}' b'x' ','", ["'a'", "'b", ":", "'\\''", "'\\u{1F600}'", "b'x'", "','"]),
        ("fn f<'a,'b>()", ["fn", "f", "<", "'a", ",", "'b", ">", "(", ")"]),
        ("0..n 1.max 1.5 0xff_u8", ["0", ".", ".", "n", "1", ".", "max", "1.5", "0xff_u8"]),
        ("a::b: ::c", ["a", "::", "b", ":", "::", "c"]),
        ("größe\tωx", ["größe", "ωx"]),
        (r""""a"r"\"" 'a'br"\"" x""", ['"a"r', r'"\""', "'a'br", r'"\""', "x"]),
        (r'''r"a"r"\"" r#"a"#br"\"" 1r"\""''', ['r"a"r', r'"\""', 'r#"a"#br', r'"\""', "1r", r'"\""']),
        ('"// no comment" \'"\' x', ['"// no comment"', "'\"'", "x"]),
        ("", []),
    ],
)
def test_a_program_is_divided_into_tokens(source: str, expected: list[str]) -> None:
    assert [token.text for token in tokens(source)] == expected


@pytest.mark.parametrize("source", ['"', '"a\\"', 'r#"a"', "/* /* */", 'x b"'])
def test_what_does_not_end_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="does not end"):
        list(tokens(source))


def test_tokens_know_their_line_and_kind() -> None:
    found = list(tokens('a\n/* \n */ "b\n" \'c\n+'))
    assert [tuple(token) for token in found] == [
        ("name", "a", 1, 1),
        ("literal", '"b\n"', 3, 14),
        ("lifetime", "'c", 4, 17),
        ("mark", "+", 5, 19),
    ]


def test_reading_takes_linear_time() -> None:
    for hostile in ("/*" * 50_000, "'" * 100_000, 'r#"' * 50_000, "((((" * 50_000):
        with_end = hostile + "*/" * 50_000
        try:
            assert sum(1 for _ in tokens(with_end)) <= len(with_end)
        except ValueError:
            pass
