"""Small Python tasks of our own, in which every type occurs, each with the signature and a solution in Rust."""

from __future__ import annotations

from typing import NamedTuple


class Specimen(NamedTuple):
    text: str
    python: str
    asserts: tuple[str, ...]
    signature: str
    body: str  # of a right solution
    wrong: tuple[str, str]  # what to replace in it to make it wrong


SPECIMENS = [
    Specimen(
        "Write a python function to add up the squares of a list.",
        "def sumOfSquares(numbers):\n    return sum(n * n for n in numbers)",
        ("assert sumOfSquares([1, -2]) == 5", "assert sumOfSquares([]) == 0", "assert sumOfSquares([3]) == 9"),
        "fn sum_of_squares(numbers: &[i32]) -> i32",
        "numbers.iter().map(|n| n * n).sum()",
        ("n * n", "n + n"),
    ),
    Specimen(
        "Write a function to raise two to a power.",
        "def power(n):\n    return 2 ** n",
        ("assert power(3) == 8", "assert power(40) == 1099511627776"),
        "fn power(n: i32) -> i64",
        "1_i64 << n",
        ("1_i64", "2_i64"),
    ),
    Specimen(
        "Write a function to multiply two large numbers.",
        "def product(a, b):\n    return a * b",
        (
            "assert product(10**12, 10**12) == 10**24",
            "assert product(-5, 10**10) == -50000000000",
        ),
        "fn product(a: i64, b: i64) -> i128",
        "i128::from(a) * i128::from(b)",
        ("a) *", "a) +"),
    ),
    Specimen(
        "Write a function to find the mean of numbers.",
        "def mean(xs):\n    return sum(xs) / len(xs)",
        ("assert mean([1, 2.5]) == 1.75", "assert math.isclose(mean([0.1, 0.2]), 0.15, rel_tol=1e-3)"),
        "fn mean(xs: &[f64]) -> f64",
        "xs.iter().sum::<f64>() / xs.len() as f64",
        ("xs.len() as f64", "2.5"),
    ),
    Specimen(
        "Write a function that halves a number.",
        "def half(x):\n    return x / 2",
        ("assert half(3) == 1.5", "assert abs(half(1) - 0.5) < 1e-6", "assert half(4) == 2"),
        "fn half(x: i32) -> f64",
        "f64::from(x) / 2.0",
        ("2.0", "3.0"),
    ),
    Specimen(
        "Write a function to check that a number is even.",
        "def is_even(n):\n    return n % 2 == 0",
        ("assert is_even(2)", "assert not is_even(3)", "assert is_even(0) is True", "assert is_even(5) == False"),
        "fn is_even(n: i32) -> bool",
        "n % 2 == 0",
        ("== 0", "== 1"),
    ),
    Specimen(
        "Write a function to count a character in a string.",
        "def count(str, ch):\n    return str.count(ch)",
        ("assert count('banana', 'a') == 3", "assert count('', \"'\") == 0", "assert count('é\\n\\n', '\\n') == 2"),
        "fn count(text: &str, ch: char) -> i32",
        "text.chars().filter(|c| *c == ch).count() as i32",
        ("== ch", "!= ch"),
    ),
    Specimen(
        "Write a function to put quotation marks around a string.",
        "def quote(s):\n    return '\"' + s + '\"'",
        ("assert quote('a\\\\b') == '\"a\\\\b\"'", "assert quote('\\t\\x07ü漢') == '\"\\t\\x07ü漢\"'"),
        "fn quote(s: &str) -> String",
        'format!("\\"{s}\\"")',
        ('{s}\\"', "{s}"),
    ),
    Specimen(
        "Write a function to find the longest word.",
        "def longest(words):\n    return max(words, key=len) if words else None",
        ("assert longest(['a', 'bcd', 'ef']) == 'bcd'", "assert longest([]) is None", "assert longest(['x']) == 'x'"),
        "fn longest(words: &[&str]) -> Option<String>",
        "let mut best: Option<&str> = None;\n    for word in words {\n"
        "        if best.is_none_or(|b| word.len() > b.len()) {\n"
        "            best = Some(word);\n        }\n    }\n    best.map(str::to_string)",
        ("word.len() >", "word.len() <"),
    ),
    Specimen(
        "Write a function to transpose a matrix.",
        "def transpose(m):\n    return [list(row) for row in zip(*m)]",
        ("assert transpose([[1, 2], [3, 4], [5, 6]]) == [[1, 3, 5], [2, 4, 6]]", "assert transpose([]) == []"),
        "fn transpose(m: &[Vec<i32>]) -> Vec<Vec<i32>>",
        "let width = m.first().map_or(0, Vec::len);\n"
        "    (0..width).map(|j| m.iter().map(|r| r[j]).collect()).collect()",
        ("r[j]", "r[0]"),
    ),
    Specimen(
        "Write a function to split a number into quotient and remainder.",
        "def divide(a, b):\n    return a // b, a % b",
        ("assert divide(7, 2) == (3, 1)", "assert divide(9, 3) == (3, 0)"),
        "fn divide(a: i32, b: i32) -> (i32, i32)",
        "(a / b, a % b)",
        ("a % b", "a"),
    ),
    Specimen(
        "Write a function to sort names by score.",
        "def ranked(pairs):\n    return sorted(pairs, key=lambda pair: -pair[1])",
        (
            "assert ranked([('a', 1), ('b', 2)]) == [('b', 2), ('a', 1)]",
            "assert ranked([('c', 0), ('d', 7), ('e', 3)]) == [('d', 7), ('e', 3), ('c', 0)]",
        ),
        "fn ranked(pairs: &[(&str, i32)]) -> Vec<(String, i32)>",
        "let mut found: Vec<(String, i32)> = pairs.iter().map(|(n, s)| ((*n).to_string(), *s)).collect();\n"
        "    found.sort_by_key(|(_, s)| -s);\n    found",
        ("-s", "*s"),
    ),
    Specimen(
        "Write a function to count every character of a string.",
        "def frequencies(s):\n    return {c: s.count(c) for c in s}",
        ("assert frequencies('aab') == {'b': 1, 'a': 2}", "assert frequencies('') == {}"),
        "fn frequencies(s: &str) -> HashMap<char, i32>",
        "let mut found = HashMap::new();\n    for c in s.chars() {\n"
        "        *found.entry(c).or_insert(0) += 1;\n    }\n    found",
        ("+= 1", "+= 2"),
    ),
    Specimen(
        "Write a function to add up the values of a dictionary by key.",
        "def total(d, keys):\n    return sum(d.get(k, 0) for k in keys)",
        ("assert total({'a': 1, 'b': 2}, ['a', 'c']) == 1", "assert total({}, []) == 0"),
        "fn total(d: &HashMap<&str, i32>, keys: &[&str]) -> i32",
        "keys.iter().filter_map(|k| d.get(k)).sum()",
        ("d.get(k)", "d.get(&k[1..])"),
    ),
    Specimen(
        "Write a function to find what two lists have in common.",
        "def common(a, b):\n    return [x for x in a if x in b]",
        ("assert set(common([1, 2, 3], [3, 2])) == {2, 3}", "assert set(common([1], [2])) == set()"),
        "fn common(a: &[i32], b: &[i32]) -> HashSet<i32>",
        "a.iter().filter(|x| b.contains(x)).copied().collect()",
        ("b.contains", "!b.contains"),
    ),
    Specimen(
        "Write a function to remove doubles.",
        "def distinct(xs):\n    return list(set(xs))",
        ("assert distinct([3, 1, 3, 2]) == [1, 2, 3]", "assert distinct([5, 5]) == [5]"),
        "fn distinct(xs: &[i32]) -> Vec<i32>",
        "let mut found = xs.to_vec();\n    found.sort_unstable();\n    found.dedup();\n    found",
        ("found.dedup();\n", ""),
    ),
    Specimen(
        "Write a function to add up what is there.",
        "def present(xs):\n    return sum(x for x in xs if x is not None)",
        ("assert present([1, None, 2]) == 3", "assert present([None]) == 0"),
        "fn present(xs: &[Option<i32>]) -> i32",
        "xs.iter().flatten().sum()",
        (".sum()", ".sum::<i32>() + 1"),
    ),
    Specimen(
        "Write a function to take elements while they are positive.",
        "def positive(tup):\n    return tuple(x for x in tup if x > 0)",
        ("assert positive((1, -1, 2)) == (1, 2)", "assert positive((4, 5, -6)) == (4, 5)"),
        "fn positive(tup: &[i32]) -> Vec<i32>",
        "tup.iter().copied().filter(|x| *x > 0).collect()",
        ("> 0", "< 0"),
    ),
]
