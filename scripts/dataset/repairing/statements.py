"""Statements with a mistake in them, by the error code of rustc that they aim at, each beside the right statements.

They go to the beginning of a function and are about one of its parameters; {a} is its name, {t} its type, {x}, {y} and
{z} are new names, {S}, {field} and {variant} are of its own type. Braces of Rust are doubled. The right program has the
right statements: what is to be learned is to repair a line, and not to delete it.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["STATEMENTS", "Statement"]


class Statement(NamedTuple):
    """Statements about a parameter of one of some kinds."""

    code: str
    kinds: str  # of `dataset.repairing.program.KINDS`, separated by spaces
    broken: str
    right: str


NUMBERS = "int uint"
COPIES = "int uint float bool char"
OWNED = "string vec struct"
ALL = f"{COPIES} str {OWNED} slice option tuple enum"
COPY = "let mut {x} = {a}.clone();\n"

STATEMENTS: tuple[Statement, ...] = (
    # fmt: off
    # ownership
    Statement("E0382", OWNED, "let {x} = {a};", "let {x} = {a}.clone();"),
    Statement("E0384", ALL, "let {x} = 0;\n{x} += 1;", "let mut {x} = 0;\n{x} += 1;"),
    Statement("E0596", "vec string", "let {x} = {a}.clone();\n{x}.clear();",
              "let mut {x} = {a}.clone();\n{x}.clear();"),
    Statement("E0596", "slice", "let {x} = {a}.to_vec();\n{x}.reverse();",
              "let mut {x} = {a}.to_vec();\n{x}.reverse();"),
    Statement("E0594", "struct", "let {x} = {a}.clone();\n{x}.{field} = {a}.{field}.clone();",
              COPY + "{x}.{field} = {a}.{field}.clone();"),
    Statement("E0499", "vec string", COPY + "let {y} = &mut {x};\nlet {z} = &mut {x};\n{y}.clear();\n{z}.clear();",
              COPY + "let {y} = &mut {x};\n{y}.clear();\nlet {z} = &mut {x};\n{z}.clear();"),
    Statement("E0502", "vec string", COPY + "let {y} = &{x};\n{x}.clear();\nlet {z} = {y}.len();",
              COPY + "let {y} = &{x};\nlet {z} = {y}.len();\n{x}.clear();"),
    Statement("E0505", OWNED, "let {x} = {a}.clone();\nlet {y} = &{x};\ndrop({x});\nlet {z} = {y}.clone();",
              "let {x} = {a}.clone();\nlet {y} = &{x};\nlet {z} = {y}.clone();\ndrop({x});"),
    Statement("E0506", COPIES, "let mut {x} = {a};\nlet {y} = &{x};\n{x} = {a};\nlet {z} = *{y};",
              "let mut {x} = {a};\nlet {y} = &{x};\nlet {z} = *{y};\n{x} = {a};"),
    Statement("E0507", OWNED, "let {x} = &{a};\nlet {y} = *{x};", "let {x} = &{a};\nlet {y} = {x}.clone();"),
    Statement("E0597", ALL, "let {x};\n{{\n    let {y} = {a}.clone();\n    {x} = &{y};\n}}\nlet {z} = {x}.clone();",
              "let {x};\nlet {y} = {a}.clone();\n{{\n    {x} = &{y};\n}}\nlet {z} = {x}.clone();"),
    Statement("E0716", f"{COPIES} str string", "let {x} = {a}.to_string().trim();\nlet {y} = {x}.len();",
              "let {z} = {a}.to_string();\nlet {x} = {z}.trim();\nlet {y} = {x}.len();"),
    Statement("E0373", COPIES, "fn {x}({y}: {t}) -> impl Fn() -> {t} {{\n    || {y}\n}}",
              "fn {x}({y}: {t}) -> impl Fn() -> {t} {{\n    move || {y}\n}}"),
    Statement("E0381", COPIES, "let {x}: {t};\nlet {y} = {x};", "let {x}: {t} = {a};\nlet {y} = {x};"),
    # types
    Statement("E0308", NUMBERS, 'let {x}: {t} = "0";', "let {x}: {t} = 0;"),
    Statement("E0308", "bool", "let {x} = if {a} {{ 1 }} else {{ false }};",
              "let {x} = if {a} {{ true }} else {{ false }};"),
    Statement("E0308", "string vec option", "let {x}: {t} = &{a};", "let {x}: {t} = {a}.clone();"),
    Statement("E0277", "vec slice option tuple struct enum", 'let {x} = format!("{{}}", {a});',
              'let {x} = format!("{{:?}}", {a});'),
    Statement("E0277", NUMBERS, "let {x} = {a} + 1.5;", "let {x} = {a} as f64 + 1.5;"),
    Statement("E0282", ALL, "let {x} = Vec::new();", "let {x}: Vec<u8> = Vec::new();"),
    Statement("E0284", ALL, 'let {x} = "7".parse().unwrap();', 'let {x}: u8 = "7".parse().unwrap();'),
    Statement("E0369", "str", 'let {x} = "<" + {a};', 'let {x} = String::from("<") + {a};'),
    Statement("E0369", "bool", "let {x} = {a} + {a};", "let {x} = {a} & {a};"),
    Statement("E0369", "vec", "let {x} = &{a} + &{a};", "let {x} = [&{a}[..], &{a}[..]].concat();"),
    Statement("E0600", "str string vec slice", "let {x} = !{a};", "let {x} = !{a}.is_empty();"),
    Statement("E0600", "option", "let {x} = !{a};", "let {x} = !{a}.is_some();"),
    Statement("E0604", NUMBERS, "let {x} = {a} as char;", "let {x} = {a} as u8 as char;"),
    Statement("E0605", "option", "let {x} = {a} as i64;", "let {x} = {a}.is_some() as i64;"),
    Statement("E0605", "vec string", "let {x} = {a} as i64;", "let {x} = {a}.len() as i64;"),
    Statement("E0606", f"{NUMBERS} float", "let {x} = &{a} as f64;", "let {x} = {a} as f64;"),
    Statement("E0608", "struct", "let {x} = &{a}[0];", "let {x} = &{a}.{field};"),
    Statement("E0608", "tuple", "let {x} = &{a}[0];", "let {x} = &{a}.0;"),
    Statement("E0609", "vec string", "let {x} = {a}.size;", "let {x} = {a}.len();"),
    Statement("E0609", "tuple", "let {x} = &{a}.first;", "let {x} = &{a}.0;"),
    Statement("E0609", "struct", "let {x} = &{a}.{field}s;", "let {x} = &{a}.{field};"),
    Statement("E0610", COPIES, "let {x} = {a}.value;", "let {x} = {a};"),
    Statement("E0614", COPIES, "let {x} = *{a};", "let {x} = {a};"),
    Statement("E0615", "slice str string", "let {x} = {a}.len;", "let {x} = {a}.len();"),
    Statement("E0615", "option", "let {x} = {a}.is_some;", "let {x} = {a}.is_some();"),
    Statement("E0616", "vec", "let {x} = {a}.len;", "let {x} = {a}.len();"),
    Statement("E0599", "vec slice str string", "let {x} = {a}.size();", "let {x} = {a}.len();"),
    Statement("E0599", "option", "let {x} = {a}.is_present();", "let {x} = {a}.is_some();"),
    Statement("E0599", NUMBERS, "let {x} = {a}.ones();", "let {x} = {a}.count_ones();"),
    Statement("E0599", "float", "let {x} = {a}.square_root();", "let {x} = {a}.sqrt();"),
    Statement("E0618", COPIES, "let {x} = {a}();", "let {x} = {a};"),
    Statement("E0061", "vec slice str string", "let {x} = {a}.is_empty(0);", "let {x} = {a}.is_empty();"),
    Statement("E0061", "option", "let {x} = {a}.is_none(true);", "let {x} = {a}.is_none();"),
    Statement("E0107", f"{COPIES} {OWNED} option", "let {x}: Option<{t}, {t}> = None;", "let {x}: Option<{t}> = None;"),
    Statement("E0133", "slice vec", "let {x} = {a}.get_unchecked(0);", "let {x} = {a}.first();"),
    Statement("E0040", "vec", "let {x} = {a}.clone();\n{x}.drop();", "let {x} = {a}.clone();\ndrop({x});"),
    Statement("E0070", ALL, "let mut {x} = 0;\n1 = {x};", "let mut {x} = 0;\n{x} = 1;"),
    # patterns and fields
    Statement("E0004", "option", "let {x} = match {a} {{\n    Some(_) => 1,\n}};",
              "let {x} = match {a} {{\n    Some(_) => 1,\n    None => 0,\n}};"),
    Statement("E0004", "bool", "let {x} = match {a} {{\n    true => 1,\n}};",
              "let {x} = match {a} {{\n    true => 1,\n    false => 0,\n}};"),
    Statement("E0004", NUMBERS, "let {x} = match {a} {{\n    0 => 1,\n    1 => 2,\n}};",
              "let {x} = match {a} {{\n    0 => 1,\n    1 => 2,\n    _ => 3,\n}};"),
    Statement("E0004", "enum", "let {x} = match {a} {{\n    {S}::{variant} => 1,\n}};",
              "let {x} = match {a} {{\n    {S}::{variant} => 1,\n    _ => 0,\n}};"),
    Statement("E0005", ALL, 'let Ok({x}) = "7".parse::<u8>();', 'let {x} = "7".parse::<u8>();'),
    Statement("E0023", "option", "if let Some({x}, {y}) = &{a} {{}}", "if let Some({x}) = &{a} {{}}"),
    Statement("E0531", "option", "if let Just({x}) = &{a} {{}}", "if let Some({x}) = &{a} {{}}"),
    Statement("E0026", "struct", "let {S} {{ {field}s: {x}, .. }} = &{a};", "let {S} {{ {field}: {x}, .. }} = &{a};"),
    Statement("E0027", "struct", "let {S} {{ {field}: {x} }} = &{a};", "let {S} {{ {field}: {x}, .. }} = &{a};"),
    Statement("E0062", "struct",
              "let {x} = {S} {{ {field}: {a}.{field}.clone(), {field}: {a}.{field}.clone(), ..{a}.clone() }};",
              "let {x} = {S} {{ {field}: {a}.{field}.clone(), ..{a}.clone() }};"),
    Statement("E0063", "struct", "let {x} = {S} {{ {field}: {a}.{field}.clone() }};",
              "let {x} = {S} {{ {field}: {a}.{field}.clone(), ..{a}.clone() }};"),
    Statement("E0560", "struct", "let {x} = {S} {{ {field}s: {a}.{field}.clone(), ..{a}.clone() }};",
              "let {x} = {S} {{ {field}: {a}.{field}.clone(), ..{a}.clone() }};"),
    # names
    Statement("E0416", ALL, "let ({x}, {x}) = (&{a}, &{a});", "let ({x}, {y}) = (&{a}, &{a});"),
    Statement("E0423", ALL, "let {x} = vec({a}.clone());", "let {x} = vec![{a}.clone()];"),
    Statement("E0425", ALL, "let {x} = 1;\nlet {y} = {x} + {z};", "let {x} = 1;\nlet {y} = {x} + {x};"),
    Statement("E0425", ALL, "let {x}: Option<Integer> = None;", "let {x}: Option<i32> = None;"),
    Statement("E0433", ALL, "let {x} = BTreeSet::<u8>::new().len();",
              "let {x} = std::collections::BTreeSet::<u8>::new().len();"),
    Statement("E0434", f"{COPIES} {OWNED}", "fn {x}() -> {t} {{\n    {a}\n}}",
              "fn {x}({a}: {t}) -> {t} {{\n    {a}\n}}"),
    Statement("E0435", ALL, "let {x} = 3;\nlet {y} = [0; {x}];", "let {x} = 3;\nlet {y} = vec![0; {x}];"),
    # control
    Statement("E0268", ALL, "break;", ""),
    Statement("E0728", ALL, "let {x} = {a}.await;", "let {x} = &{a};"),
    # fmt: on
)
