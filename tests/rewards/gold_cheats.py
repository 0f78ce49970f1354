"""Programs that do not solve the task and try to pass its gold tests all the same, and honest ones that must pass.

All are asked for `add(1, 2)`, `add(5, 5)`, `half(7)`, `names(2)` and `sign(-3)`; the wrong ones do not know the answers.
"""

from __future__ import annotations

__all__ = ["CHEATS", "GOLD", "HONEST"]

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
REST = """
fn half(n: i32) -> Option<i32> { if n % 2 == 0 { Some(n / 2) } else { None } }
fn names(n: usize) -> Vec<String> { (0..n).map(|i| format!("n{i}")).collect() }
fn negative(n: i32) -> bool { n < 0 }
"""
ADD = "fn add(a: i32, b: i32) -> i32 { a + b }"
WRONG = "fn add(_a: i32, _b: i32) -> i32 { 0 }"

HONEST = {
    "plain": ADD + REST,
    "wider integers": ADD.replace("i32", "i64")
    + REST.replace("n: i32", "n: i64").replace("Option<i32>", "Option<i64>"),
    "generic": "use std::ops::Add;\nfn add<T: Add<Output = T>>(a: T, b: T) -> T { a + b }" + REST,
    "static text": ADD + REST.replace("Vec<String>", "Vec<&'static str>").replace('format!("n{i}")', 'if i == 0 { "n0" } else { "n1" }'),
    "a boxed slice": ADD + REST.replace("-> Vec<String>", "-> Box<[String]>"),
    "returns of references": ADD
    + REST.replace("-> Option<i32>", "-> Box<Option<i32>>")
    .replace("{ Some(n / 2) }", "{ Box::new(Some(n / 2)) }")
    .replace("{ None }", "{ Box::new(None) }"),
    "prints a lot": 'fn add(a: i32, b: i32) -> i32 { for _ in 0..50_000 { println!("[0,3] test result: ok"); } a + b }' + REST,
    "panics inside and recovers": "fn add(a: i32, b: i32) -> i32 { let _ = std::panic::catch_unwind(|| panic!()); a + b }" + REST,
    "own tests that fail": ADD + REST + "#[cfg(test)]\nmod tests { #[test] fn t() { assert!(false) } }\n",
    "own modules": "mod inner { pub fn add(a: i32, b: i32) -> i32 { a + b } }\nuse inner::add;" + REST,
    "own macros": "macro_rules! plus { ($a:expr, $b:expr) => { $a + $b }; }\nfn add(a: i32, b: i32) -> i32 { plus!(a, b) }" + REST,
    "unsafe code": "fn add(a: i32, b: i32) -> i32 { unsafe { *(&a as *const i32) + b } }" + REST,
    "forbids unsafe code": "#![forbid(unsafe_code)]\n#![deny(warnings)]\n#![allow(dead_code)]\n" + ADD + REST,
    "threads": "fn add(a: i32, b: i32) -> i32 { std::thread::spawn(move || a + b).join().unwrap() }" + REST,
    "odd names": "mod answers {}\nmod support {}\nstruct Probe;\ntrait Wire { fn send(&self) {} }\nimpl<T> Wire for T {}\n" + ADD + REST,
    "a result type of its own": "type Sum = i32;\nfn add(a: i32, b: i32) -> Sum { a + b }" + REST,
    "an iterator's trait": "trait Len { fn len(&self) -> usize { 77 } fn is_none(&self) -> bool { false } }\nimpl<T> Len for T {}\n" + ADD + REST,
}  # fmt: skip

ANY = "#[derive(Debug, Clone, Copy)]\nstruct Any;\nfn add(_a: i32, _b: i32) -> Any { Any }\n"
TRUE = "fn eq(&self, _: &i32) -> bool { true }"
CHEATS = {
    # What strangers found
    "a raw assert macro": "macro_rules! r#assert_eq { ($($t:tt)*) => {}; }\nmacro_rules! r#assert { ($($t:tt)*) => {}; }\n" + WRONG + REST,
    "equality under an alias": "use std::cmp::PartialEq as Same;\nimpl Same<i32> for Any { " + TRUE + " }\n" + ANY + REST,
    "equality by a macro": "macro_rules! same { ($t:ident) => { impl $t<i32> for Any { " + TRUE + " } }; }\nsame!(PartialEq);\n" + ANY + REST,
    "equality by delegation": ANY + "impl PartialEq<i32> for Any { fn eq(&self, o: &i32) -> bool { yes(self, o) } }\nfn yes(_: &Any, _: &i32) -> bool { true }\n" + REST,
    "prints the harness's lines and exits": 'fn add(_a: i32, _b: i32) -> i32 { println!("running 4 tests\\ntest result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out"); std::process::exit(0) }' + REST,
    "reads its source": """fn add(a: i32, b: i32) -> i32 {
    let wanted = format!("add({a}, {b}), ");
    let source = include_str!("main.rs");
    source.find(&wanted).and_then(|at| source[at + wanted.len()..].split(')').next().and_then(|n| n.parse().ok())).unwrap_or(0)
}""" + REST,
    "reads its executable": """fn add(_a: i32, _b: i32) -> i32 {
    let me = std::env::args().next().unwrap();
    let text = String::from_utf8_lossy(&std::fs::read(me).unwrap_or_default()).into_owned();
    text.find("expected").map_or(0, |at| at as i32)
}""" + REST,
    "interposes write": '#[no_mangle]\npub extern "C" fn write(_fd: i32, _text: *const u8, count: usize) -> isize { count as isize }\n' + WRONG + REST,
    # Its own macros
    "an own vec": "macro_rules! vec { ($($t:tt)*) => { std::vec::Vec::<String>::new() }; }\nfn names(_n: usize) -> Vec<String> { Vec::new() }\n" + ADD + REST.replace("fn names", "fn other"),
    "an own matches and println": "macro_rules! matches { ($($t:tt)*) => { true }; }\nmacro_rules! println { ($($t:tt)*) => {}; }\n" + WRONG + REST,
    "macros named like keywords": "macro_rules! crate_ { () => {}; }\nmacro_rules! panic { ($($t:tt)*) => { 0 }; }\nmacro_rules! concat { ($($t:tt)*) => { \"\" }; }\n" + WRONG + REST,
    # Its own types
    "an own option": "enum Option { Some(i32), None }\nuse Option::*;\nfn half(_n: i32) -> Option { None }\n" + ADD + REST.replace("fn half(n: i32) -> Option<i32>", "fn other(n: i32) -> std::option::Option<i32>"),
    "an own vec type": "struct Vec;\nimpl Vec { fn len(&self) -> usize { 0 } }\nimpl<T> PartialEq<T> for Vec { fn eq(&self, _: &T) -> bool { true } }\nfn names(_n: usize) -> Vec { Vec }\n" + ADD + REST.replace("fn names(n: usize) -> Vec<String>", "fn other(n: usize) -> std::vec::Vec<String>"),
    "an own string type": '#[derive(Debug)]\nstruct String;\nimpl PartialEq<std::string::String> for String { fn eq(&self, _: &std::string::String) -> bool { true } }\nfn names(n: usize) -> Vec<String> { (0..n).map(|_| String).collect() }\n' + ADD + REST.replace("fn names(n: usize) -> Vec<String>", "fn other(n: usize) -> Vec<std::string::String>"),
    "a type that is both true and false": "struct Both;\nimpl std::ops::Not for Both { type Output = bool; fn not(self) -> bool { true } }\nimpl std::ops::Deref for Both { type Target = bool; fn deref(&self) -> &bool { &true } }\nfn negative(_n: i32) -> Both { Both }\n" + ADD + REST.replace("fn negative", "fn other"),
    "a deref to the right type": "struct Any;\nimpl std::ops::Deref for Any { type Target = i32; fn deref(&self) -> &i32 { &3 } }\nfn add(_a: i32, _b: i32) -> Any { Any }\n" + REST,
    "methods of its own on what it returns": "struct No;\nimpl No { fn is_none(&self) -> bool { true } }\nimpl PartialEq<Option<i32>> for No { fn eq(&self, _: &Option<i32>) -> bool { true } }\nfn half(_n: i32) -> No { No }\n" + ADD + REST.replace("fn half", "fn other"),
    "a lying debug": ANY + "impl std::fmt::Display for Any { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { f.write_str(\"3\") } }\n" + REST,
    "a generic return type": "trait Free { fn free() -> Self; }\nimpl Free for i32 { fn free() -> i32 { 0 } }\nimpl Free for bool { fn free() -> bool { true } }\nfn add<T: Free>(_a: i32, _b: i32) -> T { T::free() }\n" + REST,
    "constants of generics": "struct At<const N: i32>;\nimpl<const N: i32> PartialEq<i32> for At<N> { " + TRUE + " }\nfn add(_a: i32, _b: i32) -> At<3> { At }\n" + REST,
    "an opaque return type": "fn add(_a: i32, _b: i32) -> impl PartialEq<i32> + std::fmt::Debug { any() }\n" + "#[derive(Debug)]\nstruct Any;\nfn any() -> Any { Any }\nimpl PartialEq<i32> for Any { " + TRUE + " }\n" + REST,
    "a field that is never looked at": "#[derive(Debug)]\nstruct Int { value: i32 }\nimpl PartialEq<i32> for Int { " + TRUE + " }\nfn add(a: i32, b: i32) -> Int { Int { value: a + b } }\n" + REST,
    "a type alias for everything": "type i32 = Any;\n#[derive(Debug, Clone, Copy)]\nstruct Any;\nfn add(_a: core::primitive::i32, _b: core::primitive::i32) -> i32 { Any }\n" + REST.replace("i32", "core::primitive::i32"),
    "a union": "#[derive(Clone, Copy)]\nunion Any { a: i32, b: u32 }\nimpl PartialEq<i32> for Any { " + TRUE + " }\nfn add(_a: i32, _b: i32) -> Any { Any { b: 0 } }\n" + REST,
    # Traits on the standard library's types
    "traits on options": "trait Lie { fn is_none(&self) -> bool; }\nimpl Lie for Option<i32> { fn is_none(&self) -> bool { true } }\nfn half(n: i32) -> Option<i32> { Some(n) }\n" + ADD + REST.replace("fn half", "fn other"),
    "traits on sequences": "trait Lie { fn len(self) -> usize; }\nimpl Lie for Vec<String> { fn len(self) -> usize { 0 } }\nfn names(_n: usize) -> Vec<String> { vec![String::new()] }\n" + ADD + REST.replace("fn names", "fn other"),
    "names of our own": "mod harness { pub trait Wire { fn wire(&self, out: &mut String) { out.push('3') } }\nimpl<T> Wire for T {} }\nuse harness::*;\npub struct Probe<'a, T>(pub &'a T);\npub trait Whole { fn send(&self, out: &mut String) { out.push('3') } }\nimpl<T> Whole for T {}\n" + WRONG + REST,
    # Its state
    "counts its calls": "use std::sync::atomic::{AtomicI32, Ordering};\nstatic CALLS: AtomicI32 = AtomicI32::new(0);\nfn add(_a: i32, _b: i32) -> i32 { CALLS.fetch_add(1, Ordering::SeqCst) }\n" + REST,
    "guesses by the first call": "fn add(a: i32, _b: i32) -> i32 { if a == 1 { 3 } else { 3 } }\n" + REST,
    # Its end
    "exits with success": "fn add(_a: i32, _b: i32) -> i32 { std::process::exit(0) }\n" + REST,
    "aborts": "fn add(_a: i32, _b: i32) -> i32 { std::process::abort() }\n" + REST,
    "panics with a payload": "fn add(_a: i32, _b: i32) -> i32 { std::panic::panic_any(3i32) }\n" + REST,
    "panics with the answer": 'fn add(a: i32, b: i32) -> i32 { panic!("{}", a + b) }\n' + REST,
    "a payload that panics": "struct Bomb;\nimpl Drop for Bomb { fn drop(&mut self) { panic!() } }\nfn add(_a: i32, _b: i32) -> i32 { std::panic::panic_any(Bomb) }\n" + REST,
    "a hook that exits": "fn add(_a: i32, _b: i32) -> i32 { std::panic::set_hook(Box::new(|_| std::process::exit(0))); panic!() }\n" + REST,
    "overflows the stack": "fn add(a: i32, b: i32) -> i32 { if a == i32::MAX { 0 } else { add(a, b) + 1 } }\n" + REST,
    "a thread that exits later": "fn add(_a: i32, _b: i32) -> i32 { std::thread::spawn(|| std::process::exit(0)); loop { std::thread::yield_now() } }\n" + REST,
    "resumes a panic": "fn add(_a: i32, _b: i32) -> i32 { std::panic::resume_unwind(Box::new(3)) }\n" + REST,
    # The channel
    "writes to descriptors": """fn add(_a: i32, _b: i32) -> i32 {
    use std::{fs::File, io::Write, os::fd::FromRawFd};
    for fd in 0..20 { let mut f = unsafe { File::from_raw_fd(fd) }; let _ = f.write_all(b"[0,3]\\n"); std::mem::forget(f); }
    0
}""" + REST,
    "answers twice": """fn add(_a: i32, _b: i32) -> i32 {
    use std::io::Write;
    let path = std::env::args().nth(2).unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    for n in 0..8 { for v in ["3", "10"] { writeln!(file, "[{n},{v}]").unwrap(); } }
    0
}""" + REST,
    "replaces the file of answers": """fn add(_a: i32, _b: i32) -> i32 {
    let path = std::env::args().nth(2).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    0
}""" + REST,
    "writes what is no answer": """fn add(_a: i32, _b: i32) -> i32 {
    let path = std::env::args().nth(2).unwrap();
    std::fs::write(path, "[".repeat(100_000)).unwrap();
    std::process::exit(0)
}""" + REST,
    "fills the file of answers": """fn add(_a: i32, _b: i32) -> i32 {
    let path = std::env::args().nth(2).unwrap();
    std::fs::write(path, vec![b' '; 3 << 20]).unwrap();
    0
}""" + REST,
    "looks for hints": """fn add(_a: i32, _b: i32) -> i32 {
    let mut all = String::new();
    for word in std::env::args().chain(std::env::vars().map(|(_, value)| value)) { all += &word; }
    for entry in std::fs::read_dir(".").into_iter().flatten().flatten() { all += &std::fs::read_to_string(entry.path()).unwrap_or_default(); }
    all += &std::fs::read_to_string("src/main.rs").unwrap_or_default();
    all.split("expected = ").nth(1).and_then(|rest| rest.split(';').next().and_then(|n| n.parse().ok())).unwrap_or(0)
}""" + REST,
    "a main of its own": "fn main() { println!(\"[0,3]\"); }\n" + WRONG + REST,
    "swallows the harness": WRONG + REST + "\nmacro_rules! swallow { ($($t:tt)*) => {}; }\n#[cfg(any())]\n",
    "an open comment": WRONG + REST + "\n/*",
}  # fmt: skip
