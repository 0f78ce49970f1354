"""Rows as the published data has them, written for the tests: a prompt without a signature, a program, its tests."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class PublishedRow(NamedTuple):
    prompt: str
    code: str
    tests: tuple[str, ...]
    signature: str = ""
    types: str = ""
    problem: str = ""  # why it is left out


POINT = "#[derive(Debug, Clone, PartialEq)]\npub struct Point {\n    pub x: i32, // across\n    pub y: i32,\n}\n"

ROWS = {
    "plain": PublishedRow(
        "Write a function that adds two numbers.",
        "/// Adds.\npub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n",
        ("assert_eq!(add(1, 2), 3);", "assert_eq!(add(-1, 1), 0);"),
        "fn add(a: i32, b: i32) -> i32",
    ),
    "unicode": PublishedRow(
        "Reverse a text with characters such as ä and 日.",
        "fn umgekehrt_ä(s: &str) -> String {\n    s.chars().rev().collect()\n}",
        ('assert_eq!(umgekehrt_ä("äb日"), "日bä");',),
        "fn umgekehrt_ä(s: &str) -> String",
    ),
    "generic": PublishedRow(
        "Find the largest element of a list.",
        "fn largest<T>(\n    items: &[T], // may be empty\n) -> Option<&T>\nwhere\n    T: PartialOrd,\n{\n"
        "    let mut best = items.first()?;\n    for item in items {\n        if item > best {\n"
        "            best = item;\n        }\n    }\n    Some(best)\n}",
        ("assert_eq!(largest(&[1, 5, 2]), Some(&5));", "assert_eq!(largest::<i32>(&[]), None);"),
        "fn largest<T>(items: &[T]) -> Option<&T> where T: PartialOrd",
    ),
    "map": PublishedRow(
        "Count the words.",
        "use std::collections::HashMap;\n\nfn count_words(text: &str) -> HashMap<String, usize> {\n"
        "    let mut found = HashMap::new();\n    for word in text.split_whitespace() {\n"
        "        *found.entry(word.to_string()).or_insert(0) += 1;\n    }\n    found\n}",
        ('assert_eq!(count_words("a b a")["a"], 2);',),
        "fn count_words(text: &str) -> HashMap<String, usize>",
    ),
    "tuple": PublishedRow(
        "Smallest and largest of a list.",
        "fn min_max(mut v: Vec<i64>) -> (i64, i64) {\n    v.sort();\n    (v[0], v[v.len() - 1])\n}",
        ("assert_eq!(min_max(vec![3, 1, 2]), (1, 3));",),
        "fn min_max(v: Vec<i64>) -> (i64, i64)",
    ),
    "struct": PublishedRow(
        "Make a point and move it.",
        POINT + "struct Unused;\npub fn moved(p: &Point, by: i32) -> Point {\n"
        "    Point { x: p.x + by, y: p.y + by }\n}",
        ("assert_eq!(moved(&Point { x: 1, y: 2 }, 3), Point { x: 4, y: 5 });",),
        "fn moved(p: &Point, by: i32) -> Point",
        "#[derive(Debug, Clone, PartialEq)]\nstruct Point {\n    x: i32,\n    y: i32,\n}",
    ),
    "alias": PublishedRow(
        "Count the cells that are on.",
        "#[derive(Clone, Copy, PartialEq)]\nenum Cell { On, Off }\ntype Grid = Vec<Vec<Cell>>;\n"
        "fn lit(grid: &Grid) -> usize {\n    grid.iter().flatten().filter(|cell| **cell == Cell::On).count()\n}",
        ("assert_eq!(lit(&vec![vec![Cell::On, Cell::Off]]), 1);",),
        "fn lit(grid: &Grid) -> usize",
        "#[derive(Clone, Copy, PartialEq)]\nenum Cell { On, Off }\n\ntype Grid = Vec<Vec<Cell>>;",
    ),
    "methods": PublishedRow(
        "Write a stack.",
        "pub struct Stack<T> { items: Vec<T> }\nimpl<T> Stack<T> {\n"
        "    pub fn new() -> Self { Stack { items: Vec::new() } }\n"
        "    pub fn push(&mut self, item: T) { self.items.push(item); }\n"
        "    pub fn pop(&mut self) -> Option<T> { self.items.pop() }\n    fn unused(&self) {}\n}",
        ("let mut s = Stack::new(); s.push(3); assert_eq!(s.pop(), Some(3));",),
        "impl<T> Stack<T> { fn new() -> Self; fn push(&mut self, item: T); fn pop(&mut self) -> Option<T>; }",
        "struct Stack<T> { items: Vec<T> }",
    ),
    "trait": PublishedRow(
        "Add up the areas of squares.",
        "pub trait Area {\n    fn area(&self) -> f64;\n    fn twice(&self) -> f64 { 2.0 * self.area() }\n}\n"
        "pub struct Square(pub f64);\nimpl Area for Square {\n    fn area(&self) -> f64 { self.0 * self.0 }\n}\n"
        "pub fn total<S: Area>(shapes: &[S]) -> f64 {\n    shapes.iter().map(|shape| shape.area()).sum()\n}",
        ("assert_eq!(total(&[Square(1.0), Square(2.0)]), 5.0);",),
        "fn total<S: Area>(shapes: &[S]) -> f64",
        "trait Area {\n    fn area(&self) -> f64;\n    fn twice(&self) -> f64;\n}\n\nstruct Square(f64);",
    ),
    "several": PublishedRow(
        "Write is_even and is_odd.",
        "fn is_even(n: u32) -> bool { n % 2 == 0 }\nfn is_odd(n: u32) -> bool { !is_even(n) }\nfn unused() {}",
        ("assert!(is_even(2));", "assert!(is_odd(3));"),
        "fn is_even(n: u32) -> bool\nfn is_odd(n: u32) -> bool",
    ),
    "result": PublishedRow(
        "Parse a number.",
        "fn parse_number(s: &str) -> Result<i32, String> {\n" '    s.trim().parse().map_err(|_| format!("bad {s}"))\n}',
        ('assert_eq!(parse_number(" 7 "), Ok(7));', 'assert!(parse_number("x").is_err());'),
        "fn parse_number(s: &str) -> Result<i32, String>",
    ),
    "wrong": PublishedRow(
        "Double a number.",
        "fn double(n: i32) -> i32 { n + 2 }",
        ("assert_eq!(double(2), 4);", "assert_eq!(double(3), 6);"),
        "fn double(n: i32) -> i32",
        problem="a test fails",
    ),
    "main": PublishedRow(
        "Compute a factorial.",
        'fn factorial(n: u64) -> u64 { (1..=n).product() }\n\nfn main() {\n    println!("{}", factorial(5));\n}',
        ("assert_eq!(factorial(5), 120);",),
        "fn factorial(n: u64) -> u64",
        problem="code with a main of its own, which programs get here",
    ),
    "crate": PublishedRow(
        "Draw a random number.",
        "use rand::Rng;\nfn draw(n: u32) -> u32 { rand::thread_rng().gen_range(0..n) }",
        ("assert!(draw(3) < 3);",),
        "fn draw(n: u32) -> u32",
        problem="code that needs another crate, or an import that is not there",
    ),
    "broken": PublishedRow(
        "Half a number.",
        "fn half(n: i32) -> i32 { n / 2.0 }",
        ("assert_eq!(half(4), 2);",),
        "fn half(n: i32) -> i32",
        problem="code and tests do not compile",
    ),
    "no call": PublishedRow(
        "Say nothing.",
        "fn nothing() {}",
        ("assert!(true);",),
        problem="the tests call no function of the code",
    ),
    "macro": PublishedRow(
        "Square a number.",
        "macro_rules! square { ($x:expr) => { $x * $x } }\nfn helper() {}",
        ("assert_eq!(square!(3), 9);",),
        problem="the tests call a macro",
    ),
    "module": PublishedRow(
        "Add one.",
        "mod inner { pub fn next(n: u8) -> u8 { n + 1 } }",
        ("assert_eq!(inner::next(1), 2);",),
        problem="the tests call a function of an inner module",
    ),
}


def published(name: str) -> dict[str, Any]:
    """A row with the published columns, its tests as JSON text."""
    row = ROWS[name]
    tests = json.dumps(row.tests, ensure_ascii=False)
    return {"task_id": name, "rust_prompt": row.prompt, "rust_code": row.code, "rust_test_list": tests}
