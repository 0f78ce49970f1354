"""Statements and items with a mistake in them, by the error code of rustc that they aim at.

A statement goes to the beginning of a function and is about one of its parameters; {a} is its name, {t} its type, {x},
{y} and {z} are new names, {S}, {field}, {other} and {variant} are of its own type. Braces of Rust are doubled. An item
goes behind the program ("end") or before it ("start").
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ITEMS", "STATEMENTS", "Item", "Statement"]


class Statement(NamedTuple):
    """A statement about a parameter of one of some kinds."""

    code: str
    kinds: str  # of `dataset.repairing.program.KINDS`, separated by spaces
    text: str


class Item(NamedTuple):
    """An item. One with {S} goes into programs with a struct or an enum, one with {f} into those with a function."""

    code: str
    text: str
    place: str = "end"


NUMBERS = "int uint"
COPIES = "int uint float bool char"
OWNED = "string vec struct"
ALL = f"{COPIES} str {OWNED} slice option tuple enum"
MUTATING = "let mut {x} = {a}.clone();\n"

STATEMENTS: tuple[Statement, ...] = (
    # fmt: off
    # ownership
    Statement("E0382", OWNED, "let {x} = {a};"),
    Statement("E0384", "int uint float", "{a} += {a};"),
    Statement("E0596", "vec string", "{a}.clear();"),
    Statement("E0596", "slice", "{a}.reverse();"),
    Statement("E0594", "struct", "{a}.{field} = Default::default();"),
    Statement("E0499", "vec string", MUTATING + "let {y} = &mut {x};\nlet {z} = &mut {x};\n{y}.clear();\n{z}.clear();"),
    Statement("E0502", "vec string", MUTATING + "let {y} = &{x};\n{x}.clear();\nlet {z} = {y}.len();"),
    Statement("E0505", OWNED, "let {x} = &{a};\nlet {y} = {a};\nlet {z} = {x};"),
    Statement("E0506", COPIES, "let mut {x} = {a};\nlet {y} = &{x};\n{x} = {a};\nlet {z} = *{y};"),
    Statement("E0507", OWNED, "let {x} = &{a};\nlet {y} = *{x};"),
    Statement("E0597", ALL, "let {x};\n{{\n    let {y} = {a}.clone();\n    {x} = &{y};\n}}\nlet {z} = {x}.clone();"),
    Statement("E0716", f"{COPIES} str string", "let {x} = {a}.to_string().trim();\nlet {y} = {x}.len();"),
    Statement("E0373", f"{COPIES} {OWNED}", "let {x} = std::thread::spawn(|| {a}.clone());"),
    Statement("E0381", NUMBERS, "let {x}: {t};\nlet {y} = {x} + {a};"),
    # types
    Statement("E0308", f"{NUMBERS} float", 'let {x}: {t} = "0";'),
    Statement("E0308", "bool", "let {x} = if {a} {{ 1 }} else {{ false }};"),
    Statement("E0308", "string vec option", "let {x}: {t} = &{a};"),
    Statement("E0277", "vec slice option tuple struct enum", 'let {x} = format!("{{}}", {a});'),
    Statement("E0277", NUMBERS, "let {x} = {a} + 1.5;"),
    Statement("E0282", ALL, "let {x} = Vec::new();"),
    Statement("E0284", ALL, 'let {x} = "7".parse().unwrap();'),
    Statement("E0369", "char bool str option vec struct enum tuple", "let {x} = &{a} + &{a};"),
    Statement("E0600", "str string option vec slice char float tuple struct enum", "let {x} = !{a};"),
    Statement("E0604", "int", "let {x} = {a} as char;"),
    Statement("E0605", "option vec string struct tuple", "let {x} = {a} as i64;"),
    Statement("E0606", f"{NUMBERS} float", "let {x} = &{a} as u8;"),
    Statement("E0608", f"{COPIES} option struct", "let {x} = {a}[0];"),
    Statement("E0609", "option vec tuple string struct", "let {x} = {a}.size;"),
    Statement("E0610", COPIES, "let {x} = {a}.value;"),
    Statement("E0614", COPIES, "let {x} = *{a};"),
    Statement("E0615", "slice str string", "let {x} = {a}.len;"),
    Statement("E0616", "vec", "let {x} = {a}.len;"),
    Statement("E0615", "option", "let {x} = {a}.is_some;"),
    Statement("E0599", "vec slice str string option", "let {x} = {a}.size();"),
    Statement("E0599", f"{NUMBERS} float", "let {x} = {a}.length();"),
    Statement("E0618", f"{COPIES} {OWNED} option tuple", "let {x} = {a}();"),
    Statement("E0061", "vec slice str string", "let {x} = {a}.is_empty(0);"),
    Statement("E0061", "option", "let {x} = {a}.is_none(true);"),
    Statement("E0107", f"{COPIES} {OWNED} option", "let {x}: Option<{t}, {t}> = None;"),
    Statement("E0133", "slice vec", "let {x} = {a}.get_unchecked(0);"),
    Statement("E0040", "vec", "{a}.drop();"),
    Statement("E0070", NUMBERS, "1 = {a};"),
    # patterns and fields
    Statement("E0004", "option", "let {x} = match {a} {{\n    Some(_) => 1,\n}};"),
    Statement("E0004", "bool", "let {x} = match {a} {{\n    true => 1,\n}};"),
    Statement("E0004", NUMBERS, "let {x} = match {a} {{\n    0 => 1,\n    1 => 2,\n}};"),
    Statement("E0004", "enum", "let {x} = match {a} {{\n    {S}::{variant} => 1,\n}};"),
    Statement("E0005", "option", "let Some({x}) = {a};"),
    Statement("E0023", "option", "if let Some({x}, {y}) = {a} {{}}"),
    Statement("E0531", "option", "if let Just({x}) = {a} {{}}"),
    Statement("E0026", "struct", "let {S} {{ {field}s, .. }} = {a}.clone();"),
    Statement("E0027", "struct", "let {S} {{ {field} }} = {a}.clone();"),
    Statement("E0062", "struct",
              "let {x} = {S} {{ {field}: {a}.{field}.clone(), {field}: {a}.{field}.clone(), ..{a}.clone() }};"),
    Statement("E0063", "struct", "let {x} = {S} {{ {field}: {a}.{field}.clone() }};"),
    Statement("E0560", "struct", "let {x} = {S} {{ {field}s: {a}.{field}.clone(), ..{a}.clone() }};"),
    # names
    Statement("E0416", ALL, "let ({x}, {x}) = (&{a}, &{a});"),
    Statement("E0423", ALL, "let {x} = vec({a}.clone());"),
    Statement("E0425", ALL, "let {x} = {y};"),
    Statement("E0425", ALL, "let {x}: Option<Integer> = None;"),
    Statement("E0433", ALL, "let {x}: u8 = BTreeSet::new().len();"),
    Statement("E0434", f"{COPIES} {OWNED}", "fn {x}() -> {t} {{\n    {a}\n}}"),
    Statement("E0435", NUMBERS, "let {x} = [0; {a}];"),
    # control
    Statement("E0268", ALL, "break;"),
    Statement("E0728", ALL, "let {x} = {a}.await;"),
    # fmt: on
)

ITEMS: tuple[Item, ...] = (
    # fmt: off
    Item("E0432", "use std::collection::HashMap;\n", "start"),
    Item("E0432", "use std::vector::Vec;\n", "start"),
    Item("E0603", "use std::collections::hash::map::HashMap;\n", "start"),
    Item("E0603", "mod store {{\n    fn load() -> usize {{\n        0\n    }}\n}}\n\n"
         "fn loaded() -> usize {{\n    store::load()\n}}\n"),
    Item("E0252", "use std::fmt::Result;\nuse std::io::Result;\n", "start"),
    Item("E0255", "use std::cmp::max as {f};\n", "start"),
    Item("E0583", "mod helpers;\n", "start"),
    Item("E0046", "impl std::fmt::Display for {S} {{}}\n"),
    Item("E0404", "impl String for {S} {{}}\n"),
    Item("E0405", "impl Printable for {S} {{}}\n"),
    Item("E0407", "impl Default for {S} {{\n    fn new() -> Self {{\n        todo!()\n    }}\n}}\n"),
    Item("E0424", "impl {S} {{\n    fn copied() -> Self {{\n        self.clone()\n    }}\n}}\n"),
    Item("E0119", "impl Clone for {S} {{\n    fn clone(&self) -> Self {{\n        todo!()\n    }}\n}}\n"),
    Item("E0207", "impl<T> {S} {{\n    fn kept() -> bool {{\n        true\n    }}\n}}\n"),
    Item("E0072", "struct Node {{\n    value: i32,\n    next: Option<Node>,\n}}\n"),
    Item("E0106", "struct Holder {{\n    text: &str,\n}}\n"),
    Item("E0106", "fn longest(left: &str, right: &str) -> &str {{\n"
         "    if left.len() > right.len() {{ left }} else {{ right }}\n}}\n"),
    Item("E0116", "impl Vec<i32> {{\n    fn total(&self) -> i32 {{\n        self.iter().sum()\n    }}\n}}\n"),
    Item("E0117", "impl Default for Option<i32> {{\n    fn default() -> Self {{\n        None\n    }}\n}}\n"),
    Item("E0124", "struct Both {{\n    left: i32,\n    left: i32,\n}}\n"),
    Item("E0204", "#[derive(Clone, Copy)]\nstruct Named {{\n    name: String,\n}}\n"),
    Item("E0261", "fn shortest(text: &'a str) -> usize {{\n    text.len()\n}}\n"),
    Item("E0392", "struct Wrapper<T> {{\n    size: usize,\n}}\n"),
    Item("E0401", "fn outer<T>(_: T) {{\n    fn inner(_: T) {{}}\n}}\n"),
    Item("E0403", "fn first_of<T, T>(pair: (T, T)) -> T {{\n    pair.0\n}}\n"),
    Item("E0415", "fn sum_of(left: i32, left: i32) -> i32 {{\n    left\n}}\n"),
    Item("E0616", "mod counting {{\n    #[derive(Default)]\n    pub struct Counter {{\n        count: usize,\n    }}\n}}\n\n"
         "fn counted() -> usize {{\n    counting::Counter::default().count\n}}\n"),
    Item("E0624", "mod counting {{\n    pub struct Counter;\n    impl Counter {{\n        fn count(&self) -> usize {{\n"
         "            0\n        }}\n    }}\n}}\n\nfn counted() -> usize {{\n    counting::Counter.count()\n}}\n"),
    # fmt: on
)
