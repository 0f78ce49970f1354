// Compiled into a crate of instrumented programs, as a module with a random name that no program can write.
//
// An environment variable says which mutant is switched on (0: none), how much fuel its loops have, and a number from
// which values are drawn. Records go to standard error, one a line, each behind a random word that stands in no text of
// a program: `a PLACE 0|1` an assert was false or true, `r PLACE` an explicit panic was reached, `p ID 0|1` a test that
// should panic ended without or with a panic, `f ID` a function was entered, `c ID` by no other
// function of the program, `m ID` a mutant was reached, `u ID` it
// could change nothing, `t` fuel used reached a power of two, `d` out of fuel. Each record with a place or a number is
// written once.
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::Write;
use std::ops::{Add, Div, Mul, Rem, Sub};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

struct Setting {
    mutant: u64,
    fuel: u64,
    salt: u64,
}

static SETTING: OnceLock<Setting> = OnceLock::new();
static USED: AtomicU64 = AtomicU64::new(0);
static SEEN: [AtomicBool; IDS * 4] = [const { AtomicBool::new(false) }; IDS * 4];
static PLACES: Mutex<BTreeSet<(u8, u32, u64)>> = Mutex::new(BTreeSet::new());
static ELEMENT: AtomicU64 = AtomicU64::new(0);

fn setting() -> &'static Setting {
    SETTING.get_or_init(|| {
        let text = ::std::env::var(WORD).unwrap_or_default();
        let mut numbers = text.split(':').map(|number| number.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Setting { mutant: next(), fuel: next(), salt: next() }
    })
}

fn write(text: &str) {
    let _ = ::std::io::stderr().write_all(format!("\n{WORD} {text}\n").as_bytes());
}

fn record(kind: usize, id: usize, letter: &str) {
    if !SEEN[kind * IDS + id].swap(true, Relaxed) {
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
}

// Lives as long as a call of a function of the program.
pub struct Call(());
impl Drop for Call {
    fn drop(&mut self) {
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
    Call(())
}

// A place is a line and a hash of what stands there, without white space.
pub const fn place(text: &str) -> u64 {
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
}

pub fn reach(line: u32, place: u64) {
    if first(2, line, place) {
        write(&format!("r {line}:{place:x}"));
    }
}

// Lives as long as a test that should panic.
pub struct Expected(pub usize);
impl Drop for Expected {
    fn drop(&mut self) {
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
macro_rules! held {
    ($($all:tt)*) => {{
        const PLACE_OF_RECORD: u64 = $crate::SUPPORT::place(stringify!($($all)*));
        $crate::SUPPORT::held_at!(PLACE_OF_RECORD, $($all)*)
    }};
}
macro_rules! held_eq {
    ($($all:tt)*) => {{
        const PLACE_OF_RECORD: u64 = $crate::SUPPORT::place(stringify!($($all)*));
        $crate::SUPPORT::compared_at!(PLACE_OF_RECORD, ==, $($all)*)
    }};
}
macro_rules! held_ne {
    ($($all:tt)*) => {{
        const PLACE_OF_RECORD: u64 = $crate::SUPPORT::place(stringify!($($all)*));
        $crate::SUPPORT::compared_at!(PLACE_OF_RECORD, !=, $($all)*)
    }};
}
macro_rules! held_at {
    ($place:expr, $held:expr $(, $($message:tt)*)?) => {{
        let held: bool = $held;
        $crate::SUPPORT::note(line!(), $place, held)
    }};
}
macro_rules! compared_at {
    ($place:expr, $operator:tt, $left:expr, $right:expr $(, $($message:tt)*)?) => {
        match (&$left, &$right) {
            (left, right) => $crate::SUPPORT::note(line!(), $place, *left $operator *right),
        }
    };
}
macro_rules! panics {
    ($($rest:tt)*) => {{
        $crate::SUPPORT::reach(line!(), 0);
        ::core::panic!($($rest)*)
    }};
}
macro_rules! unreachables {
    ($($rest:tt)*) => {{
        $crate::SUPPORT::reach(line!(), 0);
        ::core::unreachable!($($rest)*)
    }};
}
pub(crate) use {add, compared_at, div, held_at, mul, of_type, rem, returns, sub};
pub(crate) use {held as assert, held as debug_assert, held_eq as assert_eq, held_eq as debug_assert_eq};
pub(crate) use {held_ne as assert_ne, held_ne as debug_assert_ne, panics as panic, unreachables as unreachable};
