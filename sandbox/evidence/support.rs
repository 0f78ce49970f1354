// Compiled into a crate of instrumented programs, as a module with a random name that no program can write.
//
// An environment variable says which mutant is switched on (0: none), how much fuel its loops have, and a number from
// which values are drawn. Records go to standard error, one a line, each behind a random word that stands in no text of
// a program: `a PLACE 0|1` an assert was false or true, `r PLACE` an explicit panic was reached, `p ID 0|1` a test that
// should panic ended without or with a panic, `f ID` a function was entered, `c ID` by no other
// function of the program, `m ID` a mutant was reached, `u ID` it
// could change nothing, `t` fuel used reached a power of two, `d` out of fuel. Each record with a place or a number is
// written once.
#![allow(dead_code, unused_imports, unused_macros)]
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

// A small number that a program cannot foresee, the same at every call for one element of a value.
fn drawn() -> u64 {
    let mixed = (setting().salt ^ ELEMENT.load(Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    2 + (mixed >> 40) % 15
}

pub trait Number: Copy {
    fn next(self) -> Self;
}

pub fn plus<T: Number>(id: usize, value: T) -> T {
    if on(id) {
        value.next()
    } else {
        value
    }
}

impl Number for f32 {
    fn next(self) -> Self {
        self + 1.0
    }
}
impl Number for f64 {
    fn next(self) -> Self {
        self + 1.0
    }
}

pub fn text(id: usize, value: &'static str) -> &'static str {
    if on(id) {
        "mutant"
    } else {
        value
    }
}

// A value of a type: `seed` chooses between an empty, a small and a larger one. `depth` ends recursion.
pub trait Make: Sized {
    fn make(seed: usize, depth: usize) -> Option<Self>;
}

macro_rules! numbers {
    ($($t:ty)*) => { $(
        impl Make for $t {
            fn make(seed: usize, _: usize) -> Option<Self> {
                Some(match seed % 3 { 0 => 0 as $t, 1 => 1 as $t, _ => drawn() as $t })
            }
        }
    )* };
}
macro_rules! integers {
    ($($t:ty)*) => { $(
        impl Number for $t {
            fn next(self) -> Self {
                self.wrapping_add(1)
            }
        }
    )* };
}
numbers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 }
integers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

macro_rules! chosen {
    ($($t:ty: $a:expr, $b:expr, $c:expr;)*) => { $(
        impl Make for $t {
            fn make(seed: usize, _: usize) -> Option<Self> {
                Some(match seed % 3 { 0 => $a, 1 => $b, _ => $c })
            }
        }
    )* };
}
chosen! {
    bool: false, true, true;
    char: 'a', 'b', (b'c' + drawn() as u8) as char;
    String: String::new(), String::from("x"), letters();
    (): (), (), ();
    ::std::time::Duration: ::std::time::Duration::ZERO, ::std::time::Duration::from_secs(1), ::std::time::Duration::from_secs(drawn());
    ::std::cmp::Ordering: ::std::cmp::Ordering::Equal, ::std::cmp::Ordering::Less, ::std::cmp::Ordering::Greater;
}
fn letters() -> String {
    (0..drawn() / 2 + 1).map(|i| (b'a' + ((drawn() * 7 + i * 5) % 26) as u8) as char).collect()
}
impl Make for &str {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        String::make(seed, depth).map(|made| &*made.leak())
    }
}
impl Make for ::std::borrow::Cow<'_, str> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        String::make(seed, depth).map(Into::into)
    }
}

fn several<T: Make, C: FromIterator<T>>(seed: usize, depth: usize) -> Option<C> {
    let size = match seed % 3 { 0 => 0, 1 => 1, _ => drawn() / 3 + 2 };
    let outer = ELEMENT.load(Relaxed);
    let element = |i| {
        ELEMENT.store(outer * 8 + i + 1, Relaxed);
        T::make(seed, depth + 1)
    };
    let made = (0..size).map(element).collect();
    ELEMENT.store(outer, Relaxed);
    made
}

macro_rules! containers {
    ($($name:ident: $($bound:path),*;)*) => { $(
        impl<T: Make $(+ $bound)*> Make for ::std::collections::$name<T> {
            fn make(seed: usize, depth: usize) -> Option<Self> {
                several(seed, depth)
            }
        }
    )* };
}
containers! { HashSet: Eq, ::std::hash::Hash; BTreeSet: Ord; VecDeque: Make; LinkedList: Make; BinaryHeap: Ord; }
impl<T: Make> Make for Vec<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        several(seed, depth)
    }
}
impl<K: Make + Eq + ::std::hash::Hash, V: Make> Make for ::std::collections::HashMap<K, V> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        several(seed, depth)
    }
}
impl<K: Make + Ord, V: Make> Make for ::std::collections::BTreeMap<K, V> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        several(seed, depth)
    }
}
impl<T: Make> Make for Option<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if seed % 3 == 0 || depth > 4 {
            Some(None)
        } else {
            T::make(seed, depth + 1).map(Some)
        }
    }
}
impl<T: Make, E: Make> Make for Result<T, E> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if seed % 3 == 0 {
            E::make(1, depth + 1).map(Err)
        } else {
            T::make(seed, depth + 1).map(Ok)
        }
    }
}
impl Make for Box<dyn ::std::error::Error> {
    fn make(_: usize, _: usize) -> Option<Self> {
        Some("mutant".into())
    }
}
impl<T: Make> Make for Box<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if depth > 6 { None } else { T::make(seed, depth + 1).map(Box::new) }
    }
}
impl<T: Make> Make for ::std::rc::Rc<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if depth > 6 { None } else { T::make(seed, depth + 1).map(::std::rc::Rc::new) }
    }
}
impl<T: Make> Make for ::std::sync::Arc<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if depth > 6 { None } else { T::make(seed, depth + 1).map(::std::sync::Arc::new) }
    }
}
impl<T: Make> Make for ::std::cell::Cell<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        T::make(seed, depth + 1).map(::std::cell::Cell::new)
    }
}
impl<T: Make> Make for ::std::cell::RefCell<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if depth > 6 { None } else { T::make(seed, depth + 1).map(::std::cell::RefCell::new) }
    }
}
impl<T: Make + 'static> Make for &'static [T] {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        Vec::<T>::make(seed, depth).map(|made| &*made.leak())
    }
}
impl<T: Make + 'static> Make for &'static Vec<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        Vec::<T>::make(seed, depth).map(|made| &*Box::leak(Box::new(made)))
    }
}
macro_rules! leaked {
    ($($t:ty)*) => { $(
        impl Make for &'static $t {
            fn make(seed: usize, depth: usize) -> Option<Self> {
                <$t>::make(seed, depth).map(|made| &*Box::leak(Box::new(made)))
            }
        }
    )* };
}
leaked! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 bool char String }
impl<T: Make, const N: usize> Make for [T; N] {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        let made: Option<Vec<T>> = (0..N).map(|_| T::make(seed, depth + 1)).collect();
        made.and_then(|made| made.try_into().ok())
    }
}
macro_rules! tuples {
    ($(($($t:ident)*))*) => { $(
        impl<$($t: Make),*> Make for ($($t,)*) {
            fn make(seed: usize, depth: usize) -> Option<Self> {
                Some(($($t::make(seed, depth + 1)?,)*))
            }
        }
    )* };
}
tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }

// `of_type!` chooses `Known` where the type has a value, else `Unknown`: method lookup finds the former first.
pub struct Of<T>(::std::marker::PhantomData<T>);
impl<T> Of<T> {
    pub fn new() -> Self {
        Of(::std::marker::PhantomData)
    }
}
macro_rules! of_type {
    ($t:ty, $seed:expr, $depth:expr) => {{
        use $crate::SUPPORT::{Known as _, Unknown as _};
        (&&$crate::SUPPORT::Of::<$t>::new()).value($seed, $depth)
    }};
}
pub trait Known<T> {
    fn value(&self, seed: usize, depth: usize) -> Option<T>;
}
impl<T: Make> Known<T> for &Of<T> {
    fn value(&self, seed: usize, depth: usize) -> Option<T> {
        T::make(seed, depth)
    }
}
pub trait Unknown<T> {
    fn value(&self, _: usize, _: usize) -> Option<T> {
        None
    }
}
impl<T> Unknown<T> for Of<T> {}

macro_rules! returns {
    ($id:expr, $t:ty, $seed:expr) => {
        if $crate::SUPPORT::on($id) {
            match $crate::SUPPORT::of_type!($t, $seed, 0) {
                ::core::option::Option::Some(value) => return value,
                ::core::option::Option::None => $crate::SUPPORT::unknown($id),
            }
        }
    };
}

// Another operator where both types have it, else the program's own.
pub struct Two<A, B, O>(pub ::std::marker::PhantomData<(A, B, O)>);
macro_rules! operators {
    ($($name:ident $known:ident $unknown:ident: $op:tt $own:ident, $other_op:tt $other:ident;)*) => { $(
        pub trait $known<A, B, O> {
            fn other(&self, id: usize, a: A, b: B) -> O;
        }
        impl<A: $other<B, Output = O>, B, O> $known<A, B, O> for &Two<A, B, O> {
            fn other(&self, _: usize, a: A, b: B) -> O {
                a $other_op b
            }
        }
        pub trait $unknown<A, B, O> {
            fn other(&self, id: usize, a: A, b: B) -> O;
        }
        impl<A: $own<B, Output = O>, B, O> $unknown<A, B, O> for Two<A, B, O> {
            fn other(&self, id: usize, a: A, b: B) -> O {
                unknown(id);
                a $op b
            }
        }
    )* };
}
operators! {
    add KnownAdd UnknownAdd: + Add, - Sub;
    sub KnownSub UnknownSub: - Sub, + Add;
    mul KnownMul UnknownMul: * Mul, + Add;
    div KnownDiv UnknownDiv: / Div, * Mul;
    rem KnownRem UnknownRem: % Rem, + Add;
}
pub fn types<A, B, O>(_: &A, _: &B, _: Option<&O>) -> Two<A, B, O> {
    Two(::std::marker::PhantomData)
}
macro_rules! add { ($id:expr, $a:expr, $b:expr) => { match ($a, $b) { (a, b) => {
    if !$crate::SUPPORT::on($id) { a + b } else {
        use $crate::SUPPORT::{KnownAdd as _, UnknownAdd as _}; (&&$crate::SUPPORT::types(&a, &b, None)).other($id, a, b) }
} } }; }
macro_rules! sub { ($id:expr, $a:expr, $b:expr) => { match ($a, $b) { (a, b) => {
    if !$crate::SUPPORT::on($id) { a - b } else {
        use $crate::SUPPORT::{KnownSub as _, UnknownSub as _}; (&&$crate::SUPPORT::types(&a, &b, None)).other($id, a, b) }
} } }; }
macro_rules! mul { ($id:expr, $a:expr, $b:expr) => { match ($a, $b) { (a, b) => {
    if !$crate::SUPPORT::on($id) { a * b } else {
        use $crate::SUPPORT::{KnownMul as _, UnknownMul as _}; (&&$crate::SUPPORT::types(&a, &b, None)).other($id, a, b) }
} } }; }
macro_rules! div { ($id:expr, $a:expr, $b:expr) => { match ($a, $b) { (a, b) => {
    if !$crate::SUPPORT::on($id) { a / b } else {
        use $crate::SUPPORT::{KnownDiv as _, UnknownDiv as _}; (&&$crate::SUPPORT::types(&a, &b, None)).other($id, a, b) }
} } }; }
macro_rules! rem { ($id:expr, $a:expr, $b:expr) => { match ($a, $b) { (a, b) => {
    if !$crate::SUPPORT::on($id) { a % b } else {
        use $crate::SUPPORT::{KnownRem as _, UnknownRem as _}; (&&$crate::SUPPORT::types(&a, &b, None)).other($id, a, b) }
} } }; }

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
