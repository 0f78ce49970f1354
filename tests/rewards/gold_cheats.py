"""Programs that do not solve the task and try to pass its gold tests all the same, and honest ones that must pass.

CHEATS and HONEST are asked for `add`, `half`, `names` and `negative`; the wrong ones do not know the answers.
OTHER_ROWS have a test of their own each, with a program that is right and one that is wrong; so have VALUE_ROWS, about
what is computed from values as Rust computes it, and STATE_ROWS, about what calls leave behind and what statements run.
MODULE_ROWS are left to libtest.
"""

from __future__ import annotations

__all__ = ["CHEATS", "GOLD", "HONEST", "MODULE_ROWS", "OTHER_ROWS", "STATE_ROWS", "VALUE_ROWS"]

GOLD = {"gold_tests": """#[cfg(test)]
mod gold {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
        let expected = 10;
        assert_eq!(add(5, 5), expected, "five and five");
    }

    #[test]
    fn halves() {
        assert_eq!(half(8), Some(4));
        assert!(half(7).is_none());
    }

    #[test]
    fn lists() {
        assert_eq!(names(2), vec!["n0".to_string(), "n1".to_string()]);
        assert_eq!(names(0).len(), 0);
    }

    #[test]
    fn signs() {
        assert!(negative(-3));
        assert!(!negative(4));
    }
}
"""}
REST = """\
fn half(n: i32) -> Option<i32> {
    if n % 2 == 0 {
        Some(n / 2)
    } else {
        None
    }
}
fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("n{i}")).collect()
}
fn negative(n: i32) -> bool {
    n < 0
}
"""
OTHER_HALF, OTHER_NAMES, OTHER_NEGATIVE = (  # the function is written anew
    REST.replace(f"fn {name}", "fn other") for name in ("half", "names", "negative")
)
ADD = """\
fn add(a: i32, b: i32) -> i32 {
    a + b
}
"""
WRONG = """\
fn add(_a: i32, _b: i32) -> i32 {
    0
}
"""

HONEST = {
    "plain": ADD + REST,
    "wider integers": """\
fn add(a: i64, b: i64) -> i64 {
    a + b
}
fn half(n: i64) -> Option<i64> {
    if n % 2 == 0 {
        Some(n / 2)
    } else {
        None
    }
}
fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("n{i}")).collect()
}
fn negative(n: i64) -> bool {
    n < 0
}
""",
    "generic": """\
use std::ops::Add;
fn add<T: Add<Output = T>>(a: T, b: T) -> T {
    a + b
}
"""
    + REST,
    "static text": """\
fn add(a: i32, b: i32) -> i32 {
    a + b
}
fn half(n: i32) -> Option<i32> {
    if n % 2 == 0 {
        Some(n / 2)
    } else {
        None
    }
}
fn names(n: usize) -> Vec<&'static str> {
    (0..n).map(|i| if i == 0 { "n0" } else { "n1" }).collect()
}
fn negative(n: i32) -> bool {
    n < 0
}
""",
    "a boxed slice": """\
fn add(a: i32, b: i32) -> i32 {
    a + b
}
fn half(n: i32) -> Option<i32> {
    if n % 2 == 0 {
        Some(n / 2)
    } else {
        None
    }
}
fn names(n: usize) -> Box<[String]> {
    (0..n).map(|i| format!("n{i}")).collect()
}
fn negative(n: i32) -> bool {
    n < 0
}
""",
    "returns of references": """\
fn add(a: i32, b: i32) -> i32 {
    a + b
}
fn half(n: i32) -> Box<Option<i32>> {
    if n % 2 == 0 {
        Box::new(Some(n / 2))
    } else {
        Box::new(None)
    }
}
fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("n{i}")).collect()
}
fn negative(n: i32) -> bool {
    n < 0
}
""",
    "prints a lot": """\
fn add(a: i32, b: i32) -> i32 {
    for _ in 0..50_000 {
        println!("[0,3] test result: ok");
    }
    a + b
}
"""
    + REST,
    "panics inside and recovers": """\
fn add(a: i32, b: i32) -> i32 {
    let _ = std::panic::catch_unwind(|| panic!());
    a + b
}
"""
    + REST,
    "own tests that fail": """\
fn add(a: i32, b: i32) -> i32 {
    a + b
}
fn half(n: i32) -> Option<i32> {
    if n % 2 == 0 {
        Some(n / 2)
    } else {
        None
    }
}
fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("n{i}")).collect()
}
fn negative(n: i32) -> bool {
    n < 0
}
#[cfg(test)]
mod tests {
    #[test]
    fn t() {
        assert!(false)
    }
}
""",
    "own modules": """\
mod inner {
    pub fn add(a: i32, b: i32) -> i32 {
        a + b
    }
}
use inner::add;
"""
    + REST,
    "own macros": """\
macro_rules! plus {
    ($a:expr, $b:expr) => {
        $a + $b
    };
}
fn add(a: i32, b: i32) -> i32 {
    plus!(a, b)
}
"""
    + REST,
    "unsafe code": """\
fn add(a: i32, b: i32) -> i32 {
    unsafe { *(&a as *const i32) + b }
}
"""
    + REST,
    "forbids unsafe code": """\
#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(dead_code)]
"""
    + ADD
    + REST,
    "threads": """\
fn add(a: i32, b: i32) -> i32 {
    std::thread::spawn(move || a + b).join().unwrap()
}
"""
    + REST,
    "odd names": """\
mod answers {}
mod support {}
struct Probe;
trait Wire {
    fn send(&self) {}
}
impl<T> Wire for T {}
"""
    + ADD
    + REST,
    "a result type of its own": """\
type Sum = i32;
fn add(a: i32, b: i32) -> Sum {
    a + b
}
"""
    + REST,
    "an iterator's trait": """\
trait Len {
    fn len(&self) -> usize {
        77
    }
    fn is_none(&self) -> bool {
        false
    }
}
impl<T> Len for T {}
"""
    + ADD
    + REST,
}

CHEATS = {
    "a raw assert macro": """\
macro_rules! r#assert_eq {
    ($($t:tt)*) => {};
}
macro_rules! r#assert {
    ($($t:tt)*) => {};
}
"""
    + WRONG
    + REST,
    "equality under an alias": """\
use std::cmp::PartialEq as Same;
impl Same<i32> for Any {
    fn eq(&self, _: &i32) -> bool {
        true
    }
}
#[derive(Debug, Clone, Copy)]
struct Any;
fn add(_a: i32, _b: i32) -> Any {
    Any
}
"""
    + REST,
    "equality by a macro": """\
macro_rules! same {
    ($t:ident) => {
        impl $t<i32> for Any {
            fn eq(&self, _: &i32) -> bool {
                true
            }
        }
    };
}
same!(PartialEq);
#[derive(Debug, Clone, Copy)]
struct Any;
fn add(_a: i32, _b: i32) -> Any {
    Any
}
"""
    + REST,
    "equality by delegation": """\
#[derive(Debug, Clone, Copy)]
struct Any;
fn add(_a: i32, _b: i32) -> Any {
    Any
}
impl PartialEq<i32> for Any {
    fn eq(&self, o: &i32) -> bool {
        yes(self, o)
    }
}
fn yes(_: &Any, _: &i32) -> bool {
    true
}
"""
    + REST,
    "prints the harness's lines and exits": r"""
fn add(_a: i32, _b: i32) -> i32 {
    println!("running 4 tests\ntest result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
    std::process::exit(0)
}
"""
    + REST,
    "reads its source": """\
fn add(a: i32, b: i32) -> i32 {
    let wanted = format!("add({a}, {b}), ");
    let source = include_str!("main.rs");
    source
        .find(&wanted)
        .and_then(|at| {
            source[at + wanted.len()..]
                .split(')')
                .next()
                .and_then(|n| n.parse().ok())
        })
        .unwrap_or(0)
}
"""
    + REST,
    "reads its executable": """\
fn add(_a: i32, _b: i32) -> i32 {
    let me = std::env::args().next().unwrap();
    let text = String::from_utf8_lossy(&std::fs::read(me).unwrap_or_default()).into_owned();
    text.find("expected").map_or(0, |at| at as i32)
}
"""
    + REST,
    "interposes write": """\
#[no_mangle]
pub extern "C" fn write(_fd: i32, _text: *const u8, count: usize) -> isize {
    count as isize
}
"""
    + WRONG
    + REST,
    "an own vec": """\
macro_rules! vec {
    ($($t:tt)*) => {
        std::vec::Vec::<String>::new()
    };
}
fn names(_n: usize) -> Vec<String> {
    Vec::new()
}
"""
    + ADD
    + OTHER_NAMES,
    "an own matches and println": """\
macro_rules! matches {
    ($($t:tt)*) => {
        true
    };
}
macro_rules! println {
    ($($t:tt)*) => {};
}
"""
    + WRONG
    + REST,
    "macros named like keywords": """\
macro_rules! crate_ {
    () => {};
}
macro_rules! panic {
    ($($t:tt)*) => {
        0
    };
}
macro_rules! concat {
    ($($t:tt)*) => {
        ""
    };
}
"""
    + WRONG
    + REST,
    "an own option": """\
enum Option {
    Some(i32),
    None,
}
use Option::*;
fn half(_n: i32) -> Option {
    None
}
fn add(a: i32, b: i32) -> i32 {
    a + b
}
fn other(n: i32) -> std::option::Option<i32> {
    if n % 2 == 0 {
        Some(n / 2)
    } else {
        None
    }
}
fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("n{i}")).collect()
}
fn negative(n: i32) -> bool {
    n < 0
}
""",
    "an own vec type": """\
struct Vec;
impl Vec {
    fn len(&self) -> usize {
        0
    }
}
impl<T> PartialEq<T> for Vec {
    fn eq(&self, _: &T) -> bool {
        true
    }
}
fn names(_n: usize) -> Vec {
    Vec
}
fn add(a: i32, b: i32) -> i32 {
    a + b
}
fn half(n: i32) -> Option<i32> {
    if n % 2 == 0 {
        Some(n / 2)
    } else {
        None
    }
}
fn other(n: usize) -> std::vec::Vec<String> {
    (0..n).map(|i| format!("n{i}")).collect()
}
fn negative(n: i32) -> bool {
    n < 0
}
""",
    "an own string type": """\
#[derive(Debug)]
struct String;
impl PartialEq<std::string::String> for String {
    fn eq(&self, _: &std::string::String) -> bool {
        true
    }
}
fn names(n: usize) -> Vec<String> {
    (0..n).map(|_| String).collect()
}
fn add(a: i32, b: i32) -> i32 {
    a + b
}
fn half(n: i32) -> Option<i32> {
    if n % 2 == 0 {
        Some(n / 2)
    } else {
        None
    }
}
fn other(n: usize) -> Vec<std::string::String> {
    (0..n).map(|i| format!("n{i}")).collect()
}
fn negative(n: i32) -> bool {
    n < 0
}
""",
    "a type that is both true and false": """\
struct Both;
impl std::ops::Not for Both {
    type Output = bool;
    fn not(self) -> bool {
        true
    }
}
impl std::ops::Deref for Both {
    type Target = bool;
    fn deref(&self) -> &bool {
        &true
    }
}
fn negative(_n: i32) -> Both {
    Both
}
"""
    + ADD
    + OTHER_NEGATIVE,
    "a deref to the right type": """\
struct Any;
impl std::ops::Deref for Any {
    type Target = i32;
    fn deref(&self) -> &i32 {
        &3
    }
}
fn add(_a: i32, _b: i32) -> Any {
    Any
}
"""
    + REST,
    "methods of its own on what it returns": """\
struct No;
impl No {
    fn is_none(&self) -> bool {
        true
    }
}
impl PartialEq<Option<i32>> for No {
    fn eq(&self, _: &Option<i32>) -> bool {
        true
    }
}
fn half(_n: i32) -> No {
    No
}
"""
    + ADD
    + OTHER_HALF,
    "a lying debug": """\
#[derive(Debug, Clone, Copy)]
struct Any;
fn add(_a: i32, _b: i32) -> Any {
    Any
}
impl std::fmt::Display for Any {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("3")
    }
}
"""
    + REST,
    "a generic return type": """\
trait Free {
    fn free() -> Self;
}
impl Free for i32 {
    fn free() -> i32 {
        0
    }
}
impl Free for bool {
    fn free() -> bool {
        true
    }
}
fn add<T: Free>(_a: i32, _b: i32) -> T {
    T::free()
}
"""
    + REST,
    "constants of generics": """\
struct At<const N: i32>;
impl<const N: i32> PartialEq<i32> for At<N> {
    fn eq(&self, _: &i32) -> bool {
        true
    }
}
fn add(_a: i32, _b: i32) -> At<3> {
    At
}
"""
    + REST,
    "an opaque return type": """\
fn add(_a: i32, _b: i32) -> impl PartialEq<i32> + std::fmt::Debug {
    any()
}
#[derive(Debug)]
struct Any;
fn any() -> Any {
    Any
}
impl PartialEq<i32> for Any {
    fn eq(&self, _: &i32) -> bool {
        true
    }
}
"""
    + REST,
    "a field that is never looked at": """\
#[derive(Debug)]
struct Int {
    value: i32,
}
impl PartialEq<i32> for Int {
    fn eq(&self, _: &i32) -> bool {
        true
    }
}
fn add(a: i32, b: i32) -> Int {
    Int { value: a + b }
}
"""
    + REST,
    "a type alias for everything": """\
type i32 = Any;
#[derive(Debug, Clone, Copy)]
struct Any;
fn add(_a: core::primitive::i32, _b: core::primitive::i32) -> i32 {
    Any
}

fn half(n: core::primitive::i32) -> Option<core::primitive::i32> {
    if n % 2 == 0 {
        Some(n / 2)
    } else {
        None
    }
}
fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("n{i}")).collect()
}
fn negative(n: core::primitive::i32) -> bool {
    n < 0
}
""",
    "a union": """\
#[derive(Clone, Copy)]
union Any {
    a: i32,
    b: u32,
}
impl PartialEq<i32> for Any {
    fn eq(&self, _: &i32) -> bool {
        true
    }
}
fn add(_a: i32, _b: i32) -> Any {
    Any { b: 0 }
}
"""
    + REST,
    "traits on options": """\
trait Lie {
    fn is_none(&self) -> bool;
}
impl Lie for Option<i32> {
    fn is_none(&self) -> bool {
        true
    }
}
fn half(n: i32) -> Option<i32> {
    Some(n)
}
"""
    + ADD
    + OTHER_HALF,
    "traits on sequences": """\
trait Lie {
    fn len(self) -> usize;
}
impl Lie for Vec<String> {
    fn len(self) -> usize {
        0
    }
}
fn names(_n: usize) -> Vec<String> {
    vec![String::new()]
}
"""
    + ADD
    + OTHER_NAMES,
    "names of our own": """\
mod harness {
    pub trait Wire {
        fn wire(&self, out: &mut String) {
            out.push('3')
        }
    }
    impl<T> Wire for T {}
}
use harness::*;
pub struct Probe<'a, T>(pub &'a T);
pub trait Whole {
    fn send(&self, out: &mut String) {
        out.push('3')
    }
}
impl<T> Whole for T {}
"""
    + WRONG
    + REST,
    "counts its calls": """\
use std::sync::atomic::{AtomicI32, Ordering};
static CALLS: AtomicI32 = AtomicI32::new(0);
fn add(_a: i32, _b: i32) -> i32 {
    CALLS.fetch_add(1, Ordering::SeqCst)
}
"""
    + REST,
    "guesses by the first call": """\
fn add(a: i32, _b: i32) -> i32 {
    if a == 1 {
        3
    } else {
        3
    }
}
"""
    + REST,
    "exits with success": """\
fn add(_a: i32, _b: i32) -> i32 {
    std::process::exit(0)
}
"""
    + REST,
    "aborts": """\
fn add(_a: i32, _b: i32) -> i32 {
    std::process::abort()
}
"""
    + REST,
    "panics with a payload": """\
fn add(_a: i32, _b: i32) -> i32 {
    std::panic::panic_any(3i32)
}
"""
    + REST,
    "panics with the answer": """\
fn add(a: i32, b: i32) -> i32 {
    panic!("{}", a + b)
}
"""
    + REST,
    "a payload that panics": """\
struct Bomb;
impl Drop for Bomb {
    fn drop(&mut self) {
        panic!()
    }
}
fn add(_a: i32, _b: i32) -> i32 {
    std::panic::panic_any(Bomb)
}
"""
    + REST,
    "a hook that exits": """\
fn add(_a: i32, _b: i32) -> i32 {
    std::panic::set_hook(Box::new(|_| std::process::exit(0)));
    panic!()
}
"""
    + REST,
    "overflows the stack": """\
fn add(a: i32, b: i32) -> i32 {
    if a == i32::MAX {
        0
    } else {
        add(a, b) + 1
    }
}
"""
    + REST,
    "a thread that exits later": """\
fn add(_a: i32, _b: i32) -> i32 {
    std::thread::spawn(|| std::process::exit(0));
    loop {
        std::thread::yield_now()
    }
}
"""
    + REST,
    "resumes a panic": """\
fn add(_a: i32, _b: i32) -> i32 {
    std::panic::resume_unwind(Box::new(3))
}
"""
    + REST,
    "writes to descriptors": r"""
fn add(_a: i32, _b: i32) -> i32 {
    use std::{fs::File, io::Write, os::fd::FromRawFd};
    for fd in 0..20 {
        let mut f = unsafe { File::from_raw_fd(fd) };
        let _ = f.write_all(b"[0,3]\n");
        std::mem::forget(f);
    }
    0
}
"""
    + REST,
    "answers twice": """\
fn add(_a: i32, _b: i32) -> i32 {
    use std::io::Write;
    let path = std::env::args().nth(2).unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    for n in 0..8 {
        for v in ["3", "10"] {
            writeln!(file, "[{n},{v}]").unwrap();
        }
    }
    0
}
"""
    + REST,
    "replaces the file of answers": """\
fn add(_a: i32, _b: i32) -> i32 {
    let path = std::env::args().nth(2).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    0
}
"""
    + REST,
    "writes what is no answer": """\
fn add(_a: i32, _b: i32) -> i32 {
    let path = std::env::args().nth(2).unwrap();
    std::fs::write(path, "[".repeat(100_000)).unwrap();
    std::process::exit(0)
}
"""
    + REST,
    "fills the file of answers": """\
fn add(_a: i32, _b: i32) -> i32 {
    let path = std::env::args().nth(2).unwrap();
    std::fs::write(path, vec![b' '; 3 << 20]).unwrap();
    0
}
"""
    + REST,
    "looks for hints": """\
fn add(_a: i32, _b: i32) -> i32 {
    let mut all = String::new();
    for word in std::env::args().chain(std::env::vars().map(|(_, value)| value)) {
        all += &word;
    }
    for entry in std::fs::read_dir(".").into_iter().flatten().flatten() {
        all += &std::fs::read_to_string(entry.path()).unwrap_or_default();
    }
    all += &std::fs::read_to_string("src/main.rs").unwrap_or_default();
    all.split("expected = ")
        .nth(1)
        .and_then(|rest| rest.split(';').next().and_then(|n| n.parse().ok()))
        .unwrap_or(0)
}
"""
    + REST,
    "a main of its own": """\
fn main() {
    println!("[0,3]");
}
"""
    + WRONG
    + REST,
    "swallows the harness": """\
fn add(_a: i32, _b: i32) -> i32 { 0 }
fn half(n: i32) -> Option<i32> { if n % 2 == 0 { Some(n / 2) } else { None } }
fn names(n: usize) -> Vec<String> { (0..n).map(|i| format!("n{i}")).collect() }
fn negative(n: i32) -> bool { n < 0 }

macro_rules! swallow { ($($t:tt)*) => {}; }
#[cfg(any())]
""",
    "an open comment": """\
fn add(_a: i32, _b: i32) -> i32 { 0 }
fn half(n: i32) -> Option<i32> { if n % 2 == 0 { Some(n / 2) } else { None } }
fn names(n: usize) -> Vec<String> { (0..n).map(|i| format!("n{i}")).collect() }
fn negative(n: i32) -> bool { n < 0 }

/*""",
}

OWN_VEC = """\
macro_rules! vec {
    ($($x:expr),*) => {{
        let mut v = Vec::from([$($x),*]);
        v.sort();
        v
    }};
}
"""
LENIENT = """\
#[derive(Debug)]
struct Sum(i32);
impl PartialEq<i32> for Sum {
    fn eq(&self, other: &i32) -> bool {
        self.0 <= *other
    }
}
fn add(a: i32, _b: i32) -> Sum {
    Sum(a)
}
"""
MONEY = """#[derive(Debug)]
struct Coins {
    euros: i64,
    cents: i64,
}
fn coins(euros: i64, cents: i64) -> Coins {
    Coins { euros, cents }
}
"""
OWN_EQUALITY = "impl PartialEq for Coins {\n    fn eq(&self, other: &Self) -> bool {\n        BODY\n    }\n}\n"
DISTANCE = "struct Far(f64);\nfn far(x: f64) -> Far {\n    Far(x)\n}\n"
STEPS = """#[derive(Debug, PartialEq)]
struct Steps(i32, i32);
fn steps(a: i32, b: i32) -> Steps {
    Steps(a, b)
}
impl std::ops::Add for Steps {
    type Output = Steps;
    fn add(self, other: Steps) -> Steps {
        Steps(self.0 + other.0, SECOND)
    }
}
"""
ROUND = "#[derive(Debug, PartialEq)]\nstruct Round(u32, u32);\n"

VALUE_ROWS = {
    "a number below zero that has no sign": (
        'assert!(spaces("a b c") - 1 < 5);',
        "fn spaces(t: &str) -> usize { t.matches(' ').count() }\n",
        "fn spaces(_t: &str) -> usize { 0 }\n",
    ),
    "a fallback below zero that has no sign": (
        'assert!(place("xya").unwrap_or(0) - 1 < 5);',
        "fn place(t: &str) -> Option<usize> { t.find('a') }\n",
        "fn place(_t: &str) -> Option<usize> { None }\n",
    ),
    "a sum that overflows": (
        "assert!(double(9) + 1 > 18);",
        "fn double(n: i32) -> i32 { n * 2 }\n",
        "fn double(_n: i32) -> i32 { i32::MAX }\n",
    ),
    "a product that overflows": (
        "assert!(side(3) * side(4) > 10); assert_eq!(side(3), side(4) - 1);",
        "fn side(n: u8) -> u8 { n }\n",
        "fn side(n: u8) -> u8 { 196 + n }\n",
    ),
    "the least number turned round": (
        "assert!(-least(&[3, -5]) > 4); assert!(least(&[4, -9]).abs() > 8);",
        "fn least(v: &[i64]) -> i64 { *v.iter().min().unwrap() }\n",
        "fn least(_v: &[i64]) -> i64 { i64::MIN }\n",
    ),
    "a cast to a number without a sign": (
        "let v = [7, 8]; assert!((find(&v, 8) as usize) < v.len());",
        "fn find(v: &[i32], n: i32) -> i32 { v.iter().position(|x| *x == n).map_or(-1, |x| x as i32) }\n",
        "fn find(_v: &[i32], _n: i32) -> i32 { -1 }\n",
    ),
    "a cast to fewer bits": (
        "assert!(level(3) as i8 >= 3); assert_eq!(level(2) as u8, 2);",
        "fn level(n: u16) -> u16 { n }\n",
        "fn level(n: u16) -> u16 { if n == 2 { 2 } else { 200 } }\n",
    ),
    "a letter cast to a byte": (
        "assert!(next('a') as u8 > b'a');",
        "fn next(c: char) -> char { (c as u8 + 1) as char }\n",
        "fn next(_c: char) -> char { '\\u{141}' }\n",
    ),
    "a shift that loses bits": (
        "assert!(bit(1) << 5 > 32);",
        "fn bit(n: u8) -> u8 { 1 << n }\n",
        "fn bit(_n: u8) -> u8 { 8 }\n",
    ),
    "a shift by too much": (
        "assert!(1 << width(5) > 4);",
        "fn width(n: u32) -> u32 { n - 2 }\n",
        "fn width(_n: u32) -> u32 { 40 }\n",
    ),
    "a zero with a sign": (
        "assert!(1.0 / plain(-0.0) > 0.0); assert_eq!(plain(1.5), 1.5);",
        "fn plain(x: f64) -> f64 { x + 0.0 }\n",
        "fn plain(x: f64) -> f64 { x }\n",
    ),
    "a short float as a long one": (
        "assert!((part(3, 10) as f64 - 0.3).abs() < 1e-12);",
        "fn part(a: u32, b: u32) -> f64 { f64::from(a) / f64::from(b) }\n",
        "fn part(a: u32, b: u32) -> f32 { a as f32 / b as f32 }\n",
    ),
    "a short float beside a constant of long ones": (
        "assert!((half(0.6) - 0.3).abs() < f64::EPSILON);",
        "fn half(x: f64) -> f64 { x / 2.0 }\n",
        "fn half(x: f32) -> f32 { x / 2.0 }\n",
    ),
    "a differing that is one of types": (
        'assert_ne!(mixed("ab"), vec![1, 2]); assert_eq!(mixed("ab").len(), 2);',
        "fn mixed(t: &str) -> Vec<u8> { t.bytes().rev().collect() }\n",
        "fn mixed(_t: &str) -> Vec<f32> { vec![1.0, 2.0] }\n",
    ),
    "no element of that type": (
        "assert!(!without(&[1, 2], 2).contains(&2));",
        "fn without(v: &[i32], n: i32) -> Vec<i32> { v.iter().copied().filter(|x| *x != n).collect() }\n",
        "fn without(v: &[i32], _n: i32) -> Vec<String> { v.iter().map(i32::to_string).collect() }\n",
    ),
    "no key and no beginning of that type": (
        'assert!(!table("a").contains_key("b")); assert!(!list(2).starts_with(&[2]));',
        "use std::collections::HashMap;\nfn table(t: &str) -> HashMap<String, u8> { HashMap::from([(t.into(), 1)]) }\n"
        "fn list(n: i32) -> Vec<i32> { (1..n).collect() }\n",
        "use std::collections::HashMap;\nfn table(_t: &str) -> HashMap<char, u8> { HashMap::from([('b', 1)]) }\n"
        "fn list(n: i32) -> Vec<f64> { vec![f64::from(n)] }\n",
    ),
    "no match of that type": (
        "assert!(!matches!(pick(1), Some(2))); assert!(!matches!(pick(3), Some(1..=2)));",
        "fn pick(n: i32) -> Option<i32> { Some(n) }\n",
        "fn pick(n: i32) -> Option<f64> { Some(f64::from(n) + 1.0) }\n",
    ),
    "two that nobody can look into": (
        'assert_ne!(mark("a"), mark("b"));',
        "#[derive(Debug, PartialEq)]\nstruct Mark(String);\nfn mark(t: &str) -> Mark { Mark(t.into()) }\n",
        "#[derive(Debug, PartialEq)]\nstruct Mark(std::time::SystemTime);\n"
        "fn mark(_t: &str) -> Mark { Mark(std::time::SystemTime::UNIX_EPOCH) }\n",
    ),
    "a literal that ends like a float": (
        "assert_eq!(pack(10, 15, 2), 0xAf32);",
        "fn pack(a: u32, b: u32, c: u32) -> u32 { a << 12 | b << 8 | 3 << 4 | c }\n",
        "fn pack(a: u32, _b: u32, _c: u32) -> u32 { a - 10 }\n",
    ),
    "an equality that is wrong": (
        "assert!(coins(2, 0) == coins(2, 0)); assert_eq!(coins(3, 1), coins(3, 1));",
        MONEY.replace("Debug", "Debug, PartialEq"),
        MONEY + OWN_EQUALITY.replace("BODY", "self.euros > other.cents && self.cents > other.euros"),
    ),
    "an equality that calls all different": (
        "assert_ne!(coins(2, 0), coins(2, 1)); assert!(coins(2, 1) != coins(0, 0));",
        MONEY.replace("Debug", "Debug, PartialEq"),
        MONEY.replace("{ euros, cents }", "{ euros: 1, cents: euros - euros + cents - cents }")
        + OWN_EQUALITY.replace("BODY", "self.euros > other.euros"),
    ),
    "an equality that calls too much the same": (
        "assert_ne!(coins(2, 0), coins(2, 1));",
        MONEY.replace("Debug", "Debug, PartialEq"),
        MONEY + OWN_EQUALITY.replace("BODY", "self.euros == other.euros"),
    ),
    "an equality that ignores a side": (
        "assert_eq!(coins(2, 0), coins(0, 200));",
        MONEY + OWN_EQUALITY.replace("BODY", "self.euros * 100 + self.cents == other.euros * 100 + other.cents"),
        MONEY + OWN_EQUALITY.replace("other", "_").replace("BODY", "self.euros >= 0"),
    ),
    "an equality beside a sum": (
        "assert_eq!(steps(1, 2) + steps(3, 4), steps(4, 6));",
        STEPS.replace("SECOND", "self.1 + other.1"),
        STEPS.replace("SECOND", "self.1").replace(", PartialEq", "")
        + "impl PartialEq for Steps {\n    fn eq(&self, other: &Self) -> bool {\n        self.0 == other.0\n    }\n}\n",
    ),
    "a clone that loses something": (
        'let a = label("Ann"); let b = a.clone(); assert_eq!(b.text, "Ann");',
        "#[derive(Clone)]\nstruct Label {\n    text: String,\n}\n"
        "fn label(t: &str) -> Label { Label { text: t.into() } }\n",
        "struct Label {\n    text: String,\n}\nimpl Clone for Label {\n"
        "    fn clone(&self) -> Self { Label { text: String::new() } }\n}\n"
        "fn label(t: &str) -> Label { Label { text: t.into() } }\n",
    ),
    "a difference to what is expected": (
        "assert!((far(3.0) - 3.0).abs() < 1e-9);",
        "fn far(x: f64) -> f64 { x }\n",
        DISTANCE + "impl std::ops::Sub<f64> for Far {\n    type Output = f64;\n"
        "    fn sub(self, _other: f64) -> f64 { 0.0 }\n}\n",
    ),
    "a difference to another result": (
        "assert!((far(3.0) - near(3.0)).abs() < 1e-9);",
        "fn far(x: f64) -> f64 { x }\nfn near(x: f64) -> f64 { x }\n",
        DISTANCE + "fn near(x: f64) -> Far { Far(x + 1.0) }\nimpl std::ops::Sub for Far {\n    type Output = f64;\n"
        "    fn sub(self, _other: Far) -> f64 { 0.0 }\n}\n",
    ),
    "an order that always holds": (
        "assert!(round(1, 2) < round(1, 3)); assert!(round(2, 0) > round(1, 9));",
        ROUND.replace("PartialEq", "PartialEq, PartialOrd") + "fn round(a: u32, b: u32) -> Round { Round(a, b) }\n",
        ROUND + "impl PartialOrd for Round {\n    fn partial_cmp(&self, _o: &Self) -> Option<std::cmp::Ordering> "
        "{ None }\n    fn lt(&self, _o: &Self) -> bool { true }\n    fn gt(&self, _o: &Self) -> bool { true }\n}\n"
        "fn round(a: u32, b: u32) -> Round { Round(a, b) }\n",
    ),
    "an emptiness that its length denies": (
        "assert!(odd(&[2]).is_empty()); assert_eq!(odd(&[3]).len(), 1);",
        "struct Odd(Vec<i32>);\nimpl Odd {\n    fn len(&self) -> usize { self.0.len() }\n"
        "    fn is_empty(&self) -> bool { self.0.is_empty() }\n}\n"
        "fn odd(v: &[i32]) -> Odd { Odd(v.iter().copied().filter(|n| n % 2 != 0).collect()) }\n",
        "struct Odd(Vec<i32>);\nimpl Odd {\n    fn len(&self) -> usize { self.0.len() }\n"
        "    fn is_empty(&self) -> bool { true }\n}\nfn odd(v: &[i32]) -> Odd { Odd(v.to_vec()) }\n",
    ),
    "ranges and slices": (
        "assert!((1..=6).contains(&roll(9))); assert!(upto(4).starts_with(&[0, 1])); assert_eq!(&upto(5)[1..3], [1, 2])"
        '; assert!((10..).contains(&roll(20))); assert_eq!(&word(3)[..2], "aa"); assert!(upto(3).ends_with(&[2]));',
        "fn roll(n: u32) -> u32 { if n > 9 { n } else { n % 6 + 1 } }\n"
        "fn upto(n: i32) -> Vec<i32> { (0..n).collect() }\n"
        'fn word(n: usize) -> String { "a".repeat(n) }\n',
        "fn roll(n: u32) -> u32 { n }\nfn upto(n: i32) -> Vec<i32> { (0..n).collect() }\n"
        'fn word(n: usize) -> String { "a".repeat(n) }\n',
    ),
    "orders of options and tuples": (
        "assert!(best(&[1, 5]) > Some(3)); assert!(ends(&[1, 5]) < (2, 0)); assert!(kept(&[2, 1]).first() == Some(&1))",
        "fn best(v: &[i32]) -> Option<i32> { v.iter().copied().max() }\n"
        "fn ends(v: &[i32]) -> (i32, i32) { (v[0], v[1]) }\n"
        "fn kept(v: &[i32]) -> std::collections::BTreeSet<i32> { v.iter().copied().collect() }\n",
        "fn best(_v: &[i32]) -> Option<i32> { None }\nfn ends(v: &[i32]) -> (i32, i32) { (v[0], v[1]) }\n"
        "fn kept(v: &[i32]) -> std::collections::BTreeSet<i32> { v.iter().copied().collect() }\n",
    ),
    "casts of other types": (
        "assert_eq!(day(2) as u8, 2); assert_eq!(shift(b'a') as char, 'b'); assert_eq!(warm(50.0) as i32, 10); "
        'assert_eq!(even(4) as i32, 1); assert!(even(4) ^ even(3)); assert_eq!(total(b"abc") as u8, 38);',
        "enum Day { Mon = 1, Tue }\nfn day(n: u8) -> Day { if n == 1 { Day::Mon } else { Day::Tue } }\n"
        "fn shift(b: u8) -> u8 { b + 1 }\nfn warm(f: f64) -> f64 { (f - 32.0) * 5.0 / 9.0 }\n"
        "fn even(n: i32) -> bool { n % 2 == 0 }\nfn total(b: &[u8]) -> u32 { b.iter().map(|x| u32::from(*x)).sum() }\n",
        "enum Day { Mon, Tue }\nfn day(n: u8) -> Day { if n == 1 { Day::Mon } else { Day::Tue } }\n"
        "fn shift(b: u8) -> u8 { b + 1 }\nfn warm(f: f64) -> f64 { (f - 32.0) * 5.0 / 9.0 }\n"
        "fn even(n: i32) -> bool { n % 2 == 0 }\nfn total(b: &[u8]) -> u32 { b.iter().map(|x| u32::from(*x)).sum() }\n",
    ),
    "a side that is left out": (
        "let r = first(&[1, 3]); assert!(r.is_none() || r.unwrap() % 2 == 0); "
        'let s = first(&[4]); assert!(s.is_some() && s.unwrap() == 4); assert_eq!(hail("Al") + "!", "Hi Al!");',
        "fn first(v: &[i32]) -> Option<i32> { v.iter().copied().find(|n| n % 2 == 0) }\n"
        'fn hail(t: &str) -> String { format!("Hi {t}") }\n',
        'fn first(_v: &[i32]) -> Option<i32> { None }\nfn hail(t: &str) -> String { format!("Hi {t}") }\n',
    ),
    "methods and operators of an own type": (
        "let d = full(); assert_eq!(d.len(), 3); assert_eq!(d[1], 8); assert_eq!(*kind(2), 2); "
        'assert_eq!(name(1).as_str(), "one");',
        "struct Deck(Vec<u8>);\nimpl Deck {\n    fn len(&self) -> usize { self.0.len() }\n}\n"
        "impl std::ops::Index<usize> for Deck {\n    type Output = u8;\n"
        "    fn index(&self, n: usize) -> &u8 { &self.0[n] }\n}\n"
        "fn full() -> Deck { Deck(vec![7, 8, 9]) }\nstruct Kind(i32);\nimpl std::ops::Deref for Kind {\n"
        "    type Target = i32;\n    fn deref(&self) -> &i32 { &self.0 }\n}\nfn kind(n: i32) -> Kind { Kind(n) }\n"
        'enum Name { One }\nimpl Name {\n    fn as_str(&self) -> &str { "one" }\n}\n'
        "fn name(_n: u8) -> Name { Name::One }\n",
        "struct Deck(Vec<u8>);\nimpl Deck {\n    fn len(&self) -> usize { self.0.len() }\n}\n"
        "impl std::ops::Index<usize> for Deck {\n    type Output = u8;\n"
        "    fn index(&self, n: usize) -> &u8 { &self.0[n] }\n}\n"
        "fn full() -> Deck { Deck(vec![7, 8, 9]) }\nstruct Kind(i32);\nimpl std::ops::Deref for Kind {\n"
        "    type Target = i32;\n    fn deref(&self) -> &i32 { &1 }\n}\nfn kind(n: i32) -> Kind { Kind(n) }\n"
        'enum Name { One }\nimpl Name {\n    fn as_str(&self) -> &str { "one" }\n}\n'
        "fn name(_n: u8) -> Name { Name::One }\n",
    ),
    "a generic type and a sequence of results": (
        "assert_eq!(turned(Two { a: 1, b: 2 }), Two { a: 2, b: 1 }); "
        'assert_eq!(all("1,x")[0], Ok(1)); assert!(all("1,x")[1].is_err());',
        "#[derive(Debug, PartialEq)]\nstruct Two<T> {\n    a: T,\n    b: T,\n}\n"
        "fn turned<T>(t: Two<T>) -> Two<T> { Two { a: t.b, b: t.a } }\n"
        "fn all(t: &str) -> Vec<Result<i32, std::num::ParseIntError>> { t.split(',').map(str::parse).collect() }\n",
        "#[derive(Debug, PartialEq)]\nstruct Two<T> {\n    a: T,\n    b: T,\n}\n"
        "fn turned<T>(t: Two<T>) -> Two<T> { t }\n"
        "fn all(t: &str) -> Vec<Result<i32, std::num::ParseIntError>> { t.split(',').map(str::parse).collect() }\n",
    ),
    "an equality without regard to case": (
        'assert_eq!(term("ABC"), term("abc")); assert_ne!(term("b"), term("a"));',
        "#[derive(Debug)]\nstruct Word(String);\nimpl PartialEq for Word {\n    fn eq(&self, o: &Self) -> bool "
        "{ self.0.eq_ignore_ascii_case(&o.0) }\n}\nfn term(t: &str) -> Word { Word(t.into()) }\n",
        "#[derive(Debug)]\nstruct Word(String);\nimpl PartialEq for Word {\n    fn eq(&self, o: &Self) -> bool "
        "{ self.0.len() == o.0.len() }\n}\nfn term(t: &str) -> Word { Word(t.into()) }\n",
    ),
}

OTHER_ROWS = {  # the inside of a test function, a right program, a wrong one
    "a statement that must not panic": (
        "admit(30); assert_eq!(at_most(200), 150);",
        "fn admit(_age: i32) {}\nfn at_most(n: i32) -> i32 { n.min(150) }\n",
        "fn admit(_age: i32) { panic!() }\nfn at_most(n: i32) -> i32 { n.min(150) }\n",
    ),
    "a statement that unwraps": (
        'port("80").unwrap(); assert!(port("x").is_err());',
        "fn port(text: &str) -> Result<u16, std::num::ParseIntError> { text.parse() }\n",
        'fn port(_text: &str) -> Result<u16, std::num::ParseIntError> { "".parse() }\n',
    ),
    "a value that nothing looks at": (
        'let _first = divide(10, 2).expect("a quotient"); assert_eq!(divide(1, 0), None);',
        "fn divide(a: i32, b: i32) -> Option<i32> { a.checked_div(b) }\n",
        "fn divide(_a: i32, _b: i32) -> Option<i32> { None }\n",
    ),
    "a value bound to nothing": (
        "let _ = steps(3); assert_eq!(steps(0), 0);",
        "fn steps(n: u32) -> u32 { n * 2 }\n",
        "fn steps(n: u32) -> u32 { assert_eq!(n, 0); n }\n",
    ),
    "a change that nothing looks at": (
        "let mut v = vec![1]; grow(&mut v); assert_eq!(v.len(), 2); grow(&mut v);",
        "fn grow(v: &mut Vec<i32>) { v.push(1) }\n",
        "fn grow(v: &mut Vec<i32>) { assert!(v.len() < 2); v.push(1) }\n",
    ),
    "a call that is only printed": (
        'println!("{}", digits(7)); assert_eq!(digits(0), 1);',
        "fn digits(n: u32) -> u32 { n / 10 + 1 }\n",
        "fn digits(n: u32) -> u32 { assert_eq!(n, 0); 1 }\n",
    ),
    "the same answer twice": (
        'assert_eq!(digest("a"), digest("a")); assert_ne!(digest("a"), digest("b"));',
        "fn digest(text: &str) -> u64 { text.bytes().map(u64::from).sum() }\n",
        "static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);\n"
        "fn digest(_text: &str) -> u64 { NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed) }\n",
    ),
    "an answer that counts calls": (
        "let a = next(); let b = next(); assert_eq!(a + 1, b); assert_eq!(next(), b + 1);",
        "static LAST: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);\n"
        "fn next() -> u64 { LAST.fetch_add(1, std::sync::atomic::Ordering::Relaxed) }\n",
        "fn next() -> u64 { 1 }\n",
    ),
    "a state that a statement sets": (
        "reset(5); assert_eq!(take(2), 3); assert_eq!(take(1), 2); reset(1); assert_eq!(take(1), 0);",
        "static LEFT: std::sync::Mutex<i32> = std::sync::Mutex::new(0);\n"
        "fn reset(n: i32) { *LEFT.lock().unwrap() = n }\n"
        "fn take(n: i32) -> i32 { let mut left = LEFT.lock().unwrap(); *left -= n; *left }\n",
        "fn reset(_n: i32) {}\nfn take(n: i32) -> i32 { 5 - n }\n",
    ),
    "asserts that change what they look at": (
        "let mut v = vec![1, 2]; assert_eq!(last(&mut v), Some(2)); let n = last(&mut v); assert_eq!(n, Some(1)); "
        "assert!(v.is_empty()); assert!(last(&mut v).is_none());",
        "fn last(v: &mut Vec<i32>) -> Option<i32> { v.pop() }\n",
        "fn last(v: &mut Vec<i32>) -> Option<i32> { v.pop(); Some(2) }\n",
    ),
    "an own vec that sorts": (
        "assert_eq!(sort(vec![3, 1, 2]), [1, 2, 3]); assert_eq!(sort(vec![2, 2, 1]), [1, 2, 2]);",
        OWN_VEC + "fn sort(mut v: Vec<i32>) -> Vec<i32> { v.sort(); v }\n",
        OWN_VEC + "fn sort(v: Vec<i32>) -> Vec<i32> { v }\n",
    ),
    "an own vec that sorts in place": (
        "let mut v = vec![3, 1, 2]; sort(&mut v); assert_eq!(v, vec![1, 2, 3]);",
        OWN_VEC + "fn sort(v: &mut Vec<i32>) { v.sort() }\n",
        OWN_VEC + "fn sort(_v: &mut Vec<i32>) {}\n",
    ),
    "an own vec below another": (
        "assert_eq!(flat(vec![vec![3, 1], Vec::from([2])]), vec![1, 2, 3]);",
        OWN_VEC + "fn flat(v: Vec<Vec<i32>>) -> Vec<i32> { let mut v = v.concat(); v.sort(); v }\n",
        OWN_VEC + "fn flat(v: Vec<Vec<i32>>) -> Vec<i32> { v.concat() }\n",
    ),
    "an own string": (
        'assert_eq!(title(&String::from("abc")), "Abc");',
        "struct String;\nfn title(s: &str) -> std::string::String { s[..1].to_uppercase() + &s[1..] }\n",
        "struct String;\nimpl String {\n    fn from(s: &str) -> std::string::String "
        "{ s[..1].to_uppercase() + &s[1..] }\n}\n"
        "fn title(s: &str) -> std::string::String { s.to_owned() }\n",
    ),
    "a trait's methods on sequences": (
        "let v = vec![3, 1, 2]; assert_eq!(sort(v.clone()), vec![1, 2, 3]); assert_eq!(sort([5, 4].to_vec()), [4, 5]);",
        "fn sort(mut v: Vec<i32>) -> Vec<i32> { v.sort(); v }\n",
        "trait Sorting {\n    fn clone(self) -> Vec<i32>;\n    fn to_vec(self) -> Vec<i32>;\n}\n"
        "impl Sorting for Vec<i32> {\n    fn clone(mut self) -> Vec<i32> { self.sort(); self }\n"
        "    fn to_vec(mut self) -> Vec<i32> { self.sort(); self }\n}\n"
        "impl Sorting for [i32; 2] {\n    fn clone(self) -> Vec<i32> { vec![4, 5] }\n"
        "    fn to_vec(self) -> Vec<i32> { vec![4, 5] }\n}\nfn sort(v: Vec<i32>) -> Vec<i32> { v }\n",
    ),
    "a trait with the function's name": (
        "assert_eq!(sort(vec![3, 1, 2].clone()), vec![1, 2, 3]);",
        "trait sort {}\nfn sort(mut v: Vec<i32>) -> Vec<i32> { v.sort(); v }\n",
        "trait sort {\n    fn clone(self) -> Vec<i32>;\n}\nimpl sort for Vec<i32> {\n"
        "    fn clone(mut self) -> Vec<i32> { self.sort(); self }\n}\nfn sort(v: Vec<i32>) -> Vec<i32> { v }\n",
    ),
    "a module with a number's name": (
        "assert_eq!(after(i32::MAX), i32::MAX); assert_eq!(after(4), 5);",
        "fn after(n: i32) -> i32 { n.saturating_add(1) }\n",
        "mod i32 {\n    pub const MAX: std::primitive::i32 = 2147483646;\n}\n"
        "fn after(n: std::primitive::i32) -> std::primitive::i32 { n + 1 }\n",
    ),
    "an own box": (
        "assert_eq!(negated(Box::new(4)), -4); assert_eq!(negated(Box::new(7)), -7);",
        "fn negated(n: Box<i32>) -> i32 { -*n }\n",
        "struct Box;\nimpl Box {\n    fn new(n: i32) -> std::boxed::Box<i32> { std::boxed::Box::new(-n) }\n}\n"
        "fn negated(n: std::boxed::Box<i32>) -> i32 { *n }\n",
    ),
    "an own map": (
        "let mut m = HashMap::new(); m.insert(1, 2); assert_eq!(total(&m), 2);",
        "use std::collections::HashMap;\nfn total(m: &HashMap<i32, i32>) -> i32 { m.values().sum() }\n",
        "struct HashMap(i32);\nimpl HashMap {\n    fn new() -> Self { HashMap(0) }\n"
        "    fn insert(&mut self, _k: i32, v: i32) { self.0 = v }\n}\nfn total(m: &HashMap) -> i32 { m.0 }\n",
    ),
    "an own standard library": (
        "assert_eq!(sort(vec![3, 1, 2]), vec![1, 2, 3]);",
        "mod std {}\nfn sort(mut v: Vec<i32>) -> Vec<i32> { v.sort(); v }\n",
        "extern crate self as std;\nextern crate core as real;\npub use real::*;\n"
        "#[macro_export]\nmacro_rules! vec {\n    ($($x:expr),*) => { Vec::from([1, 2, 3]) };\n}\n"
        "fn sort(v: Vec<i32>) -> Vec<i32> { v }\n",
    ),
    "a variable with the function's name": (
        "let area = area(2, 3); assert_eq!(area, 6);",
        "fn area(a: i32, b: i32) -> i32 { a * b }\n",
        "fn area(a: i32, b: i32) -> i32 { a + b }\n",
    ),
    "a closure that is an argument": (
        "let by = 10; assert_eq!(each(&[1, 2], |n| n / 2 * by), [0, 10]);",
        "fn each(v: &[i32], f: impl Fn(i32) -> i32) -> Vec<i32> " "{ v.iter().map(|n| f(*n)).collect() }\n",
        "fn each(v: &[i32], f: impl Fn(i32) -> i32) -> Vec<i32> " "{ v.iter().rev().map(|n| f(*n)).collect() }\n",
    ),
    "a float with fewer bits": (
        "assert_eq!(third(1.0), 0.3333333333333333); assert_eq!(third(-2.0), -0.6666666666666666);",
        "fn third(x: f64) -> f64 { x / 3.0 }\n",
        "fn third(x: f32) -> f32 { x / 3.0 }\n",
    ),
    "a float that may have fewer bits": (
        "assert_eq!(third(1.0), 0.33333334); assert!((third(2.0) - 0.6666666666666666).abs() < 1e-6);",
        "fn third(x: f32) -> f32 { x / 3.0 }\n",
        "fn third(x: f32) -> f32 { x / 3.5 }\n",
    ),
    "an open range": (
        "assert!(matches!(grade(95), 90..)); assert!(matches!(grade(20), ..50)); assert!(matches!(grade(60), 6..=60));",
        "fn grade(n: u32) -> u32 { n }\n",
        "fn grade(n: u32) -> u32 { if n > 50 { 60 } else { 50 } }\n",
    ),
    "a loop over cases": (
        "for (a, b, sum) in [(1, 2, 3), (5, 5, 10)] { assert_eq!(add(a, b), sum); }",
        "fn add(a: i32, b: i32) -> i32 { a + b }\n",
        LENIENT,
    ),
    "a loop over a table": (
        "let cases = vec![((1, 2), 3), ((5, 5), 10)]; for ((a, b), sum) in &cases { assert_eq!(add(*a, *b), *sum); }",
        "fn add(a: i32, b: i32) -> i32 { a + b }\n",
        LENIENT,
    ),
    "a loop that takes references apart": (
        "let extra = 0; for &(a, sum) in [(1, 3), (8, 10)].iter() { let b = 2; assert_eq!(add(a, b + extra), sum); }",
        "fn add(a: i32, b: i32) -> i32 { a + b }\n",
        LENIENT,
    ),
    "a loop in a loop": (
        "for a in [1, 2] { for b in [10, 20] { assert_eq!(add(a, b), a + b); } }",
        "fn add(a: i32, b: i32) -> i32 { a + b }\n",
        LENIENT,
    ),
    "a loop that changes its input": (
        "for (v, sorted) in [(vec![3, 1], vec![1, 3]), (vec![2], vec![2])] "
        "{ let mut w = v.clone(); sort(&mut w); assert_eq!(w, sorted); }",
        "fn sort(v: &mut Vec<i32>) { v.sort() }\n",
        "fn sort(v: &mut Vec<i32>) { v.truncate(1) }\n",
    ),
    "a loop whose calls must not panic": (
        "for n in [1, 2] { admit(n); } assert_eq!(limit(), 10);",
        "fn admit(_n: i32) {}\nfn limit() -> i32 { 10 }\n",
        "fn admit(n: i32) { assert_eq!(n, 1) }\nfn limit() -> i32 { 10 }\n",
    ),
    "an expectation that the test sorts": (
        "for v in [vec![3, 1, 2], vec![9, 8]] { let mut want = v.clone(); want.sort(); assert_eq!(sort(v), want); }",
        OWN_VEC + "fn sort(mut v: Vec<i32>) -> Vec<i32> { v.sort(); v }\n",
        OWN_VEC + "fn sort(v: Vec<i32>) -> Vec<i32> { v }\n",
    ),
    "a trait's sort on sequences": (
        "let mut want = vec![3, 1]; let got = sort(want.clone()); want.sort(); want.reverse(); assert_eq!(got, want);",
        "fn sort(v: Vec<i32>) -> Vec<i32> { let mut v = v; v.sort(); v.reverse(); v }\n",
        "trait Sorting {\n    fn sort(self);\n}\nimpl Sorting for Vec<i32> {\n    fn sort(self) {}\n}\n"
        "fn sort(v: Vec<i32>) -> Vec<i32> { vec![v[1], v[0]] }\n",
    ),
    "a sequence that both change": (
        "let mut v = vec![3, 1]; v.sort(); grow(&mut v); assert_eq!(v, [1, 3, 0]); v.reverse(); "
        "assert_eq!(v, [0, 3, 1]);",
        "fn grow(v: &mut Vec<i32>) { v.push(0) }\n",
        "fn grow(v: &mut Vec<i32>) { v.insert(0, 0) }\n",
    ),
    "a function of a trait": (
        "assert_eq!(Cube::corners(&[1]), 9); assert_eq!(Cube::corners(&vec![2, 3]), 13);",
        "struct Cube;\ntrait Solid {\n    fn corners(more: &[i32]) -> i32;\n}\nimpl Solid for Cube {\n"
        "    fn corners(more: &[i32]) -> i32 { 8 + more.iter().sum::<i32>() }\n}\n",
        "struct Cube;\ntrait Solid {\n    fn corners(more: &[i32]) -> i32;\n}\nimpl Solid for Cube {\n"
        "    fn corners(more: &[i32]) -> i32 { 8 + more[0] }\n}\n",
    ),
    "a function beside a trait with methods": (
        "assert_eq!(Sorter::sort(vec![3, 1].clone()), [1, 3]);",
        "struct Sorter;\nimpl Sorter {\n    fn sort(mut v: Vec<i32>) -> Vec<i32> { v.sort(); v }\n}\n",
        "struct Sorter;\nimpl Sorter {\n    fn sort(v: Vec<i32>) -> Vec<i32> { v }\n}\ntrait Sorting {\n"
        "    fn clone(self) -> Vec<i32>;\n}\nimpl Sorting for Vec<i32> {\n"
        "    fn clone(mut self) -> Vec<i32> { self.sort(); self }\n}\n",
    ),
    "a format of its own": (
        'let s = format!("{}-{}", 1, 2); assert_eq!(second(&s), "2"); assert_eq!(second(&format!("{}-{}", 3, 4)), "4")',
        "fn second(s: &str) -> &str { &s[2..] }\n",
        "macro_rules! format {\n    ($f:expr, $a:expr, $b:expr) => { $b.to_string() };\n}\n"
        "fn second(s: &str) -> &str { s }\n",
    ),
    "a trait's collect": (
        "assert_eq!(sort([3, 1].iter().map(|x| x * 2).collect::<Vec<_>>()), vec![2, 6]);",
        "fn sort(mut v: Vec<i32>) -> Vec<i32> { v.sort(); v }\n",
        "trait Sorting: Sized {\n    fn collect<T>(self) -> Vec<i32> { vec![2, 6] }\n}\n"
        "impl<I: Iterator> Sorting for I {}\nfn sort(v: Vec<i32>) -> Vec<i32> { v }\n",
    ),
}

NUMBERED = """\
use std::sync::atomic::{AtomicU64, Ordering};
static MADE: AtomicU64 = AtomicU64::new(0);
"""
STATE_ROWS = {  # as OTHER_ROWS
    "a closure that counts": (
        "let mut up = counter(3); assert_eq!(up(), 3); assert_eq!(up(), 4); assert_eq!(up(), 5);",
        "fn counter(mut n: u64) -> impl FnMut() -> u64 {\n    move || {\n        n += 1;\n        n - 1\n    }\n}\n",
        NUMBERED + "fn counter(n: u64) -> impl FnMut() -> u64 {\n"
        "    let n = n + MADE.fetch_add(1, Ordering::Relaxed);\n    move || n\n}\n",
    ),
    "a closure asked twice by one assert": (
        "let mut roll = dice(9); assert_ne!(roll(), roll());",
        "fn dice(mut n: u64) -> impl FnMut() -> u64 { move || { n = n * 7 % 11; n } }\n",
        NUMBERED + "fn dice(_n: u64) -> impl FnMut() -> u64 {\n"
        "    let n = MADE.fetch_add(1, Ordering::Relaxed);\n    move || n\n}\n",
    ),
    "values of a closure that are kept": (
        "let mut roll = dice(5); let one = roll(); let two = roll(); assert!(one != two);",
        "fn dice(mut n: u64) -> impl FnMut() -> u64 { move || { n = n * 7 % 11; n } }\n",
        NUMBERED + "fn dice(n: u64) -> impl FnMut() -> u64 {\n"
        "    let n = n * 10 + MADE.fetch_add(1, Ordering::Relaxed);\n    move || n\n}\n",
    ),
    "a closure in a loop": (
        "let gen = cubes(); for want in [1, 8, 27] { assert_eq!(gen(), want); }",
        "fn cubes() -> impl Fn() -> u64 {\n    let n = std::cell::Cell::new(0u64);\n"
        "    move || {\n        n.set(n.get() + 1);\n        n.get().pow(3)\n    }\n}\n",
        NUMBERED + "fn cubes() -> impl Fn() -> u64 {\n"
        "    let n = MADE.fetch_add(1, Ordering::Relaxed) + 1;\n    move || n.pow(3)\n}\n",
    ),
    "a table of what is known": (
        "let known = RefCell::new(HashMap::new()); assert_eq!(tri(4, &known), 10); assert_eq!(tri(4, &known), 10);",
        "use std::{cell::RefCell, collections::HashMap};\nfn tri(n: u64, known: &RefCell<HashMap<u64, u64>>) -> u64 {\n"
        "    *known.borrow_mut().entry(n).or_insert_with(|| (1..=n).sum())\n}\n",
        "use std::{cell::RefCell, collections::HashMap};\nfn tri(n: u64, known: &RefCell<HashMap<u64, u64>>) -> u64 {\n"
        "    match known.borrow_mut().insert(n, 0) {\n        Some(old) => old,\n        None => (1..=n).sum(),\n"
        "    }\n}\n",
    ),
    "an object that functions change": (
        "let tank = tank(2); assert!(drain(&tank)); let rest = drain(&tank); assert!(rest); assert!(!drain(&tank));",
        "struct Tank(std::cell::Cell<u64>);\nfn tank(n: u64) -> Tank { Tank(n.into()) }\n"
        "fn drain(t: &Tank) -> bool {\n    let n = t.0.get();\n    t.0.set(n.saturating_sub(1));\n    n > 0\n}\n",
        NUMBERED + "struct Tank(u64);\nfn tank(n: u64) -> Tank {\n"
        "    Tank(n.saturating_sub(MADE.fetch_add(1, Ordering::Relaxed)))\n}\nfn drain(t: &Tank) -> bool { t.0 > 0 }\n",
    ),
    "a set that is filled with results": (
        'let mut ids = HashSet::new(); let a = ids.insert(id("a")); let b = ids.insert(id("b")); '
        'let c = ids.insert(id("a")); assert!(a); assert!(b); assert!(!c); assert_eq!(ids.len(), 2);',
        "fn id(text: &str) -> usize { text.as_bytes()[0].into() }\n",
        "#[derive(Hash)]\nstruct Id(u8);\nimpl PartialEq for Id {\n    fn eq(&self, other: &Id) -> bool "
        "{ self.0 == other.0 && self.0 == b'a' }\n}\nimpl Eq for Id {}\n"
        "fn id(text: &str) -> Id { Id(text.as_bytes()[0]) }\n",
    ),
    "a condition with a type": (
        "let right: bool = add(2, 3) == 5; assert!(right); let mut more = add(5, 5) == 10; assert!(more);",
        "fn add(a: i32, b: i32) -> i32 { a + b }\n",
        LENIENT,
    ),
    "a list that the test sorts": (
        "let mut found = parts(6); found.sort(); assert_eq!(found, [1, 2, 3, 6]); assert_eq!(count(&found), 4);",
        "fn parts(n: u32) -> Vec<u32> { (1..=n).rev().filter(|k| n % k == 0).collect() }\n"
        "fn count(v: &[u32]) -> usize { v.len() }\n",
        "fn parts(n: u32) -> Vec<u32> { (1..=n).rev().filter(|k| n % k == 0).collect() }\n"
        "fn count(v: &[u32]) -> usize { if v.is_sorted() { 0 } else { 4 } }\n",
    ),
    "an object that is printed": (
        'let half = ratio(1, 2); println!("{half:?} is {}", half); assert_eq!(half.0, 1); assert_eq!(half.1, 2);',
        "#[derive(Debug)]\nstruct Ratio(i32, i32);\nimpl std::fmt::Display for Ratio {\n"
        "    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result "
        '{ write!(f, "{}/{}", self.0, self.1) }\n'
        "}\nfn ratio(a: i32, b: i32) -> Ratio { Ratio(a, b) }\n",
        "#[derive(Debug)]\nstruct Ratio(i32, i32);\nimpl std::fmt::Display for Ratio {\n"
        "    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { todo!() }\n"
        "}\nfn ratio(a: i32, b: i32) -> Ratio { Ratio(a, b) }\n",
    ),
    "a tolerance that is looked for in the text": (
        "assert!((root(2.0) - 1.41421356).abs() < 1e-6); let want = 3.0; assert!((root(9.0) - want).abs() < 1e-6);",
        "// Deref, Sub, Neg: fn abs\nfn root(x: f64) -> f64 { x.sqrt() }\n",
        '// Deref, Sub, Neg: fn abs\nconst TEXT: &str = include_str!(concat!("../", file!()));\n'
        "fn root(x: f64) -> f64 {\n    let call = format!(\"({x:?}) {} \", '-');\n"
        "    let place = TEXT.find(&call).unwrap() + call.len();\n"
        "    let wanted: String = TEXT[place..].chars().take_while(|c| c.is_numeric() || *c == '.').collect();\n"
        "    wanted.parse().unwrap_or(3.0)\n}\n",
    ),
    "a type that only the other side says": (
        'assert_eq!(least(&[]), None::<i64>); assert_eq!(read("7"), Some(7u8)); assert_eq!(read("300"), None::<u8>);',
        "fn least<T: Ord + Copy>(v: &[T]) -> Option<T> { v.iter().min().copied() }\n"
        "fn read<T: std::str::FromStr>(t: &str) -> Option<T> { t.parse().ok() }\n",
        "fn least<T: Ord + Copy>(v: &[T]) -> Option<T> { Some(v[0]) }\n"
        "fn read<T: std::str::FromStr>(t: &str) -> Option<T> { t.parse().ok() }\n",
    ),
}
LENIENT_SQUARE = """\
#[derive(Debug, Clone, Copy)]
struct Area(i32);
impl PartialEq<i32> for Area {
    fn eq(&self, other: &i32) -> bool {
        self.0 <= *other
    }
}
fn square(n: i32) -> Area {
    Area(n)
}
"""
SQUARE = "fn square(n: i32) -> i32 {\n    n * n\n}\n"
OWN_ROOT = (
    "struct Root;\nimpl std::ops::Sub<f64> for Root {\n    type Output = f64;\n"
    "    fn sub(self, _: f64) -> f64 { 0.0 }\n}\nfn root(_x: f64) -> Root { Root }\n"
)
ROOT = "fn root(x: f64) -> f64 { x.sqrt() }\n"
PLACE = "#[derive(Clone, Copy, Debug, PartialEq)]\nstruct Place { x: i32 }\nfn x(p: Place) -> i32 { p.x }\n"
MODULE_ROWS = {  # the inside of a test that stays a test module, a right program, a wrong one
    "a condition that is changed": (
        "let mut ok = square(2) == 4; ok &= square(3) == 9; assert!(ok);",
        SQUARE,
        LENIENT_SQUARE,
    ),
    "a closure that compares": (
        "let is = |n: i32, sq: i32| square(n) == sq; assert!(is(2, 4)); assert!(is(3, 9));",
        SQUARE,
        LENIENT_SQUARE,
    ),
    "a count of the right": (
        "let n = [(2, 4), (3, 9)].iter().filter(|(a, b)| square(*a) == *b).count(); assert_eq!(n, 2);",
        SQUARE,
        LENIENT_SQUARE,
    ),
    "a choice": ("let ok = if square(3) == 9 { 1 } else { 0 }; assert_eq!(ok, 1);", SQUARE, LENIENT_SQUARE),
    "a match": (
        "let ok = match square(3) { v if v == 9 => true, _ => false }; assert!(ok);",
        SQUARE,
        LENIENT_SQUARE,
    ),
    "a panic that is caught": (
        "let ok = std::panic::catch_unwind(|| square(3) == 9); assert!(ok.unwrap());",
        SQUARE,
        LENIENT_SQUARE,
    ),
    "a closure that calls the program": (
        "let by = 10; assert_eq!(each(&[2, 4], |n| square(n) * by), [40, 160]);",
        SQUARE + "fn each(v: &[i32], f: impl Fn(i32) -> i32) -> Vec<i32> { v.iter().map(|n| f(*n)).collect() }\n",
        SQUARE + "fn each(v: &[i32], f: impl Fn(i32) -> i32) -> Vec<i32> { v.iter().map(|n| f(*n) + 1).collect() }\n",
    ),
    "an order": (
        "let order = square(3).cmp(&9); assert_eq!(order, std::cmp::Ordering::Equal);",
        SQUARE,
        "struct Sq;\nimpl Sq {\n    fn cmp(&self, _: &i32) -> std::cmp::Ordering { std::cmp::Ordering::Equal }\n}\n"
        "fn square(_n: i32) -> Sq { Sq }\n",
    ),
    "a squared error": ("let e = (root(4.0) - 2.0).powi(2); assert!(e < 1e-9);", ROOT, OWN_ROOT),
    "a tolerance in a closure": (
        "let near = |x: f64, r: f64| (root(x) - r).abs() < 1e-9; assert!(near(4.0, 2.0)); assert!(near(9.0, 3.0));",
        ROOT,
        OWN_ROOT,
    ),
    "an iterator": (
        'assert!(words("a cat").iter().any(|w| *w == "cat"));',
        "fn words(t: &str) -> Vec<&str> { t.split(' ').collect() }\n",
        "struct Words;\nimpl Words {\n    fn iter(&self) -> Words { Words }\n"
        '    fn any(&self, f: impl Fn(&&str) -> bool) -> bool { f(&"cat") }\n}\nfn words(_: &str) -> Words { Words }\n',
    ),
    "steps of an iterator": (
        "let mut down = from(2); assert!(down.next().is_some()); assert!(down.all(|n| n < 2));",
        "struct Down(u32);\nimpl Iterator for Down {\n    type Item = u32;\n"
        "    fn next(&mut self) -> Option<u32> { self.0 = self.0.checked_sub(1)?; Some(self.0) }\n}\n"
        "fn from(n: u32) -> Down { Down(n) }\n",
        "struct Down;\nimpl Down {\n    fn next(&mut self) -> Option<u32> { Some(7) }\n"
        "    fn all(&mut self, _: impl Fn(u32) -> bool) -> bool { true }\n}\nfn from(_n: u32) -> Down { Down }\n",
    ),
    "pairs of neighbours": (
        "let v = sorted(vec![3, 1]); assert!(v.windows(2).all(|w| w[0] <= w[1])); assert_eq!(v.len(), 2);",
        "fn sorted(mut v: Vec<i32>) -> Vec<i32> { v.sort(); v }\n",
        "macro_rules! own {\n    ($name:ident) => { impl $name {\n"
        "        fn windows(&self, n: usize) -> std::slice::Windows<'_, i32> { self.0[..1].windows(n) }\n"
        "        fn len(&self) -> usize { self.0.len() }\n    } };\n}\n"
        "struct Sorted(Vec<i32>);\nown!(Sorted);\nfn sorted(v: Vec<i32>) -> Sorted { Sorted(v) }\n",
    ),
    "an object whose methods are asked": (
        "let mut pile = Pile::new(); pile.push(3); assert!(pile.iter().all(|n| *n == 3)); assert_eq!(pile.max(), 3);",
        "struct Pile(Vec<i32>);\nimpl Pile {\n    fn new() -> Self { Pile(vec![]) }\n    fn push(&mut self, n: i32) "
        "{ self.0.push(n) }\n    fn iter(&self) -> std::slice::Iter<'_, i32> { self.0.iter() }\n"
        "    fn max(&self) -> i32 { *self.0.iter().max().unwrap() }\n}\n",
        "struct Pile(Vec<i32>);\nimpl Pile {\n    fn new() -> Self { Pile(vec![]) }\n    fn push(&mut self, n: i32) "
        "{ self.0.push(n) }\n    fn iter(&self) -> std::slice::Iter<'_, i32> { self.0.iter() }\n"
        "    fn max(&self) -> i32 { 0 }\n}\n",
    ),
    "a method after the asserts": (
        "let p = Place { x: 2 }; assert_eq!(x(p), 2); p.check().unwrap();",
        PLACE + "impl Place {\n    fn check(&self) -> Option<()> { Some(()) }\n}\n",
        PLACE + "impl Place {\n    fn check(&self) -> Option<()> { None }\n}\n",
    ),
    "a method whose value is dropped": (
        "let p = Place { x: 2 }; assert_eq!(x(p), 2); let _fine = p.fine();",
        PLACE + "impl Place {\n    fn fine(&self) -> bool { true }\n}\n",
        PLACE + "impl Place {\n    fn fine(&self) -> bool { todo!() }\n}\n",
    ),
    "a method of a literal": (
        "Place { x: 1 }.check(); assert_eq!(x(Place { x: 2 }), 2);",
        PLACE + "impl Place {\n    fn check(&self) {}\n}\n",
        PLACE + "impl Place {\n    fn check(&self) { todo!() }\n}\n",
    ),
    "an operator whose value is dropped": (
        "let p = Place { x: 2 }; let _sum = p + p; assert_eq!(x(p), 2);",
        PLACE
        + "impl std::ops::Add for Place {\n    type Output = Place;\n    fn add(self, _: Place) -> Place { self }\n}\n",
        PLACE + "impl std::ops::Add for Place {\n    type Output = Place;\n"
        "    fn add(self, _: Place) -> Place { todo!() }\n}\n",
    ),
}
