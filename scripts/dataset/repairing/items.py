"""Items with a mistake in them, by the error code of rustc that they aim at, each beside the right item.

An item goes before a program or behind it. {S} is a struct or an enum of the program, {f} one of its functions. Braces
of Rust are doubled.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ITEMS", "Item"]


class Item(NamedTuple):
    """An item, from `head` on; the part that differs, and what stands behind it."""

    code: str
    head: str
    broken: str
    right: str
    rest: str = "\n"
    first: bool = False  # whether it stands before the program


AS_STR = '(&self) -> &str {{\n        ""\n    }}\n}}\n'
COUNTED = "fn counted() -> usize {{\n    counting::Counter"
SHOW = (
    " {{\n    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {{\n"
    '        write!(f, "{{}}", self.len())\n    }}\n}}\n'
)
LONGEST = " {{\n    if left.len() > right.len() {{ left }} else {{ right }}\n}}\n"
TOTAL = " {{\n    fn total(&self) -> i32 {{\n        self.iter().sum()\n    }}\n}}\n"

ITEMS: tuple[Item, ...] = (
    # fmt: off
    Item("E0432", "use std::", "collection::HashMap;", "collections::HashMap;", first=True),
    Item("E0432", "use std::", "vector::Vec;", "vec::Vec;", first=True),
    Item("E0603", "use std::collections::", "hash::map::HashMap;", "hash_map::HashMap;", first=True),
    Item("E0603", "mod store {{\n    ", "fn", "pub fn",
         " load() -> usize {{\n        0\n    }}\n}}\n\nfn loaded() -> usize {{\n    store::load()\n}}\n"),
    Item("E0252", "use std::fmt::Error", "", " as FmtError", ";\nuse std::io::Error;\n", first=True),
    Item("E0255", "use std::cmp::max", " as {f}", "", ";\n", first=True),
    Item("E0583", "mod helpers", ";", " {{}}", first=True),
    Item("E0046", "impl AsRef<str> for {S} {{", "}}\n", "\n    fn as_ref" + AS_STR, ""),
    Item("E0407", "impl AsRef<str> for {S} {{\n    fn ", "as_str", "as_ref", AS_STR),
    Item("E0404", "", "struct Shape;", "trait Shape {{}}", "\n\nimpl Shape for {S} {{}}\n"),
    Item("E0405", "", "", "trait Printable {{}}\n\n", "impl Printable for {S} {{}}\n"),
    Item("E0424", "impl {S} {{\n    fn copied(", "", "&self", ") -> Self {{\n        self.clone()\n    }}\n}}\n"),
    Item("E0207", "impl", "<T>", "", " {S} {{\n    fn kept() -> bool {{\n        true\n    }}\n}}\n"),
    Item("E0072", "struct Node {{\n    value: i32,\n    next: Option<", "Node", "Box<Node>", ">,\n}}\n"),
    Item("E0106", "struct Holder {{\n    text: &", "", "'static ", "str,\n}}\n"),
    Item("E0106", "fn longest", "(left: &str, right: &str) -> &str", "<'a>(left: &'a str, right: &'a str) -> &'a str",
         LONGEST),
    Item("E0116", "", "impl Vec<i32>", "trait Total {{\n    fn total(&self) -> i32;\n}}\n\nimpl Total for Vec<i32>",
         TOTAL),
    Item("E0117", "", "impl std::fmt::Display for Vec<i32>",
         "trait Show {{\n    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result;\n}}\n\n"
         "impl Show for Vec<i32>", SHOW),
    Item("E0124", "struct Both {{\n    left: i32,\n    ", "left", "right", ": i32,\n}}\n"),
    Item("E0204", "#[derive(Clone", ", Copy", "", ")]\nstruct Named {{\n    name: String,\n}}\n"),
    Item("E0261", "fn shortest", "", "<'a>", "(text: &'a str) -> usize {{\n    text.len()\n}}\n"),
    Item("E0392", "struct Wrapper", "<T>", "", " {{\n    size: usize,\n}}\n"),
    Item("E0401", "fn outer<T>(_: T) {{\n    fn inner", "", "<T>", "(_: T) {{}}\n}}\n"),
    Item("E0403", "fn first_of", "<T, T>", "<T>", "(pair: (T, T)) -> T {{\n    pair.0\n}}\n"),
    Item("E0415", "fn sum_of(left: i32, ", "left", "right", ": i32) -> i32 {{\n    left\n}}\n"),
    Item("E0616", "mod counting {{\n    #[derive(Default)]\n    pub struct Counter {{\n        ", "", "pub ",
         "count: usize,\n    }}\n}}\n\n" + COUNTED + "::default().count\n}}\n"),
    Item("E0624", "mod counting {{\n    pub struct Counter;\n    impl Counter {{\n        ", "", "pub ",
         "fn count(&self) -> usize {{\n            0\n        }}\n    }}\n}}\n\n" + COUNTED + ".count()\n}}\n"),
    # fmt: on
)
