//! Records go to standard error, one a line, each behind a random word that stands in no text of a program:
//!
//! `a PLACE 0|1`      an assert was false or true
//! `b PLACE FILE LINE` a panic at that line ended an assert
//! `c ID`             a function was entered from outside all functions
//! `d`                the fuel is used up
//! `e ID`             a function ended without a panic
//! `f ID`             a function was entered
//! `h FILE LINE`      a panic
//! `m ID`             a mutant was reached
//! `p ID 0|1`         a test that should panic ended without or with a panic
//! `q PLACE 0|1`      an assert was false or true for values that differ in one part
//! `r PLACE`          an explicit panic was reached
//! `t`                the fuel used reached a power of two
//! `u ID`             a mutant could change nothing
//! `v`                an equality written by hand was true
//! `w`                it was asked about a value that differs
//! `x FILE LINE`      a panic in a test that should panic
//!
//! Each record with a place or a number is written once.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

const IDS: usize = 256; // as MAX_IDS in experiment.py

pub(crate) struct Setting {
    word: String,
    mutant: u64,
    fuel: u64,
    pub(crate) salt: u64,
    ends: bool, // whether false asserts end their tests
}

static SETTING: OnceLock<Setting> = OnceLock::new();
static USED: AtomicU64 = AtomicU64::new(0);
static SEEN: [AtomicBool; IDS * 5] = [const { AtomicBool::new(false) }; IDS * 5];
static PLACES: Mutex<BTreeSet<(u8, u32, u64)>> = Mutex::new(BTreeSet::new());
pub(crate) static ELEMENT: AtomicU64 = AtomicU64::new(0);

pub(crate) fn setting() -> &'static Setting {
    SETTING.get_or_init(|| {
        let text = ::std::env::var("EVIDENCE").unwrap_or_default();
        watch_panics();
        let mut parts = text.split(':');
        let word = parts.next().unwrap_or_default().to_owned();
        let mut next = || parts.next().and_then(|number| number.parse().ok()).unwrap_or(0);
        Setting { word, mutant: next(), fuel: next(), salt: next(), ends: next() == 1 }
    })
}

// Write down where panics happen, also those that are caught.
fn watch_panics() {
    let next = ::std::panic::take_hook();
    ::std::panic::set_hook(Box::new(move |about| {
        if let Some(place) = about.location() {
            let expected = EXPECTED.try_with(|count| count.get() > 0).unwrap_or(false);
            let text = format!("{} {}", place.file(), place.line());
            if first(3 + expected as u8, place.line(), place_of(place.file())) {
                write(&format!("{} {text}", if expected { "x" } else { "h" }));
            }
            let _ = PANIC.try_with(|last| last.replace(text));
        }
        next(about)
    }));
}

fn write(text: &str) {
    let _ = ::std::io::stderr().write_all(format!("\n{} {text}\n", setting().word).as_bytes());
}

fn record(kind: usize, id: usize, letter: &str) {
    if !SEEN[kind * IDS + id].load(Relaxed) && !SEEN[kind * IDS + id].swap(true, Relaxed) {
        write(&format!("{letter} {id}"));
    }
}

pub fn on(id: usize) -> bool {
    let on = setting().mutant == id as u64;
    if on {
        record(0, id, "m");
    }
    on
}

pub fn unknown(id: usize) {
    record(1, id, "u");
}

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static COMPARING: Cell<bool> = const { Cell::new(false) };
    static EXPECTED: Cell<usize> = const { Cell::new(0) };
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) }; // where the last one was
}

// Lives as long as a call of a function of the program.
pub struct Call(usize);
impl Drop for Call {
    fn drop(&mut self) {
        if !::std::thread::panicking() {
            record(4, self.0, "e");
        }
        let _ = DEPTH.try_with(|depth| depth.set(depth.get().saturating_sub(1)));
    }
}

pub fn enter(id: usize) -> Call {
    tick();
    record(2, id, "f");
    let depth = DEPTH.try_with(|depth| depth.replace(depth.get() + 1)).unwrap_or(0);
    if depth == 0 {
        record(3, id, "c");
    }
    Call(id)
}

// An asynchronous function may never end, or in another thread: whatever it calls counts as called by the tests.
pub fn enter_asynchronous(id: usize) {
    tick();
    for (kind, letter) in [(2, "f"), (3, "c"), (4, "e")] {
        record(kind, id, letter);
    }
}

// A place is a line and a hash of what stands there, without white space.
pub const fn place_of(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let (mut hash, mut i) = (0xcbf2_9ce4_8422_2325_u64, 0);
    while i < bytes.len() {
        if !bytes[i].is_ascii_whitespace() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
        }
        i += 1;
    }
    hash
}

fn first(kind: u8, line: u32, place: u64) -> bool {
    PLACES.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert((kind, line, place))
}

pub fn note(line: u32, place: u64, held: bool) {
    if first(held as u8, line, place) {
        write(&format!("a {line}:{place:x} {}", held as u8));
    }
    if !held && setting().ends && setting().mutant != 0 {
        panic!("assertion failed");
    }
}

pub fn alike(line: u32, place: u64, equal: bool) {
    if first(6 + equal as u8, line, place) {
        write(&format!("q {line}:{place:x} {}", equal as u8));
    }
}

// Given where tests call an equality themselves, and not within such a one.
pub struct Outermost(());
pub fn outermost() -> Option<Outermost> {
    if DEPTH.try_with(Cell::get) != Ok(1) {
        return None;
    }
    COMPARING.try_with(|comparing| (!comparing.replace(true)).then_some(Outermost(()))).ok().flatten()
}
impl Drop for Outermost {
    fn drop(&mut self) {
        let _ = COMPARING.try_with(|comparing| comparing.set(false));
    }
}

pub fn record_equality(altered: bool) {
    if first(8 + altered as u8, 0, 0) {
        write(if altered { "w" } else { "v" });
    }
}

pub fn reach(line: u32, place: u64) {
    if first(2, line, place) {
        write(&format!("r {line}:{place:x}"));
    }
}

// Lives as long as an assert is evaluated.
pub struct Watched(pub u32, pub u64);
impl Drop for Watched {
    fn drop(&mut self) {
        if ::std::thread::panicking() && first(5, self.0, self.1) {
            let place = PANIC.try_with(|place| place.borrow().clone()).unwrap_or_default();
            write(&format!("b {}:{:x} {place}", self.0, self.1));
        }
    }
}

// Lives as long as a test that should panic.
pub struct Expected(usize);
pub fn expect(id: usize) -> Expected {
    setting();
    EXPECTED.with(|count| count.set(count.get() + 1));
    Expected(id)
}
impl Drop for Expected {
    fn drop(&mut self) {
        let _ = EXPECTED.try_with(|count| count.set(count.get() - 1));
        write(&format!("p {} {}", self.0, ::std::thread::panicking() as u8));
    }
}

pub fn tick() {
    let used = USED.fetch_add(1, Relaxed);
    if setting().mutant == 0 && used.is_power_of_two() {
        write("t");
    }
    if used == setting().fuel && setting().mutant != 0 {
        write("d");
        ::std::process::exit(77);
    }
}

// In place of the asserts: they write down whether they hold, and end no test.
#[macro_export]
macro_rules! held {
    ($($all:tt)*) => {{
        const PLACE_secret_word: u64 = $crate::place_of(stringify!($($all)*));
        $crate::held_at!(PLACE_secret_word, $($all)*)
    }};
}
#[macro_export]
macro_rules! held_eq {
    ($($all:tt)*) => {{
        const PLACE_secret_word: u64 = $crate::place_of(stringify!($($all)*));
        $crate::compared_at!(PLACE_secret_word, ==, $($all)*)
    }};
}
#[macro_export]
macro_rules! held_ne {
    ($($all:tt)*) => {{
        const PLACE_secret_word: u64 = $crate::place_of(stringify!($($all)*));
        $crate::compared_at!(PLACE_secret_word, !=, $($all)*)
    }};
}
#[macro_export]
macro_rules! held_at {
    ($place:expr, $held:expr $(, $($message:tt)*)?) => {{
        let _watched = $crate::Watched(line!(), $place);
        let held: bool = $held;
        $crate::note(line!(), $place, held)
    }};
}
#[macro_export]
macro_rules! compared_at {
    ($place:expr, $operator:tt, $left:expr, $right:expr $(, $($message:tt)*)?) => {{
        let _watched = $crate::Watched(line!(), $place);
        match (&$left, &$right) {
            (left, right) => $crate::note(line!(), $place, *left $operator *right),
        }
    }};
}
#[macro_export]
macro_rules! panics {
    ($($rest:tt)*) => {{
        $crate::reach(line!(), 0);
        ::core::panic!($($rest)*)
    }};
}
#[macro_export]
macro_rules! unreachables {
    ($($rest:tt)*) => {{
        $crate::reach(line!(), 0);
        ::core::unreachable!($($rest)*)
    }};
}
