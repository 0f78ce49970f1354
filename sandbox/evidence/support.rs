// Compiled into a crate of instrumented programs, as a module with a random name that no program can write.
//
// One environment variable names the mutant that is switched on (0: none) and the fuel of its loops. Records go to
// standard error, one a line, each behind the crate's random word: `a ID 0|1` an assert was false or true, `f ID` a
// function was entered, `m ID` a mutant was reached, `u ID` it could change nothing, `t` fuel used reached a power of
// two, `d` out of fuel. Each record with a number is written once.
#![allow(dead_code, unused_imports, unused_macros)]
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::ops::{Add, Div, Mul, Rem, Sub};
use std::sync::OnceLock;

struct Setting {
    mutant: u64,
    fuel: u64,
}

static SETTING: OnceLock<Setting> = OnceLock::new();
static USED: AtomicU64 = AtomicU64::new(0);
static SEEN: [AtomicBool; IDS * 5] = [const { AtomicBool::new(false) }; IDS * 5];

fn setting() -> &'static Setting {
    SETTING.get_or_init(|| {
        let text = ::std::env::var(WORD).unwrap_or_default();
        let mut numbers = text.split(':').map(|number| number.parse().unwrap_or(0));
        Setting { mutant: numbers.next().unwrap_or(0), fuel: numbers.next().unwrap_or(0) }
    })
}

fn record(kind: usize, id: usize, text: &str) {
    use ::std::io::Write;
    if !SEEN[kind * IDS + id].swap(true, Relaxed) {
        let _ = ::std::io::stderr().write_all(format!("\n{WORD} {text}\n").as_bytes());
    }
}

pub fn on(id: usize) -> bool {
    let on = setting().mutant == id as u64;
    if on {
        record(0, id, &format!("m {id}"));
    }
    on
}

pub fn unknown(id: usize) {
    record(1, id, &format!("u {id}"));
}

pub fn enter(id: usize) {
    tick();
    record(2, id, &format!("f {id}"));
}

pub fn note(id: usize, held: bool) {
    record(3 + held as usize, id, &format!("a {id} {}", held as u8));
}

pub fn tick() {
    use ::std::io::Write;
    let used = USED.fetch_add(1, Relaxed);
    if setting().mutant == 0 && used.is_power_of_two() {
        let _ = ::std::io::stderr().write_all(format!("\n{WORD} t\n").as_bytes());
    }
    if used == setting().fuel && setting().mutant != 0 {
        let _ = ::std::io::stderr().write_all(format!("\n{WORD} d\n").as_bytes());
        ::std::process::exit(77);
    }
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
    ($($t:ty, $three:expr;)*) => { $(
        impl Make for $t {
            fn make(seed: usize, _: usize) -> Option<Self> {
                Some([0 as $t, 1 as $t, $three as $t][seed % 3])
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
numbers! { i8, 113; i16, 113; i32, 113; i64, 113; i128, 113; isize, 113; u8, 113; u16, 113; u32, 113; u64, 113;
    u128, 113; usize, 113; f32, -2.5; f64, -2.5; }
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
    char: 'a', 'b', '~';
    String: String::new(), String::from("x"), "mutant ".repeat(9);
    (): (), (), ();
    ::std::time::Duration: ::std::time::Duration::ZERO, ::std::time::Duration::from_secs(1), ::std::time::Duration::from_secs(113);
    ::std::cmp::Ordering: ::std::cmp::Ordering::Equal, ::std::cmp::Ordering::Less, ::std::cmp::Ordering::Greater;
}
impl Make for &str {
    fn make(seed: usize, _: usize) -> Option<Self> {
        Some(["", "x", "mutant mutant mutant mutant mutant"][seed % 3])
    }
}
impl Make for ::std::borrow::Cow<'_, str> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        String::make(seed, depth).map(Into::into)
    }
}

const SIZES: [usize; 3] = [0, 1, 40];

fn several<T: Make, C: FromIterator<T>>(seed: usize, depth: usize) -> Option<C> {
    (0..SIZES[seed % 3]).map(|_| T::make(seed, depth + 1)).collect()
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

macro_rules! held {
    ($id:expr, $held:expr $(, $($rest:tt)*)?) => {{
        let held: bool = $held;
        $crate::SUPPORT::note($id, held)
    }};
}
macro_rules! held_eq {
    ($id:expr, $left:expr, $right:expr $(, $($rest:tt)*)?) => {
        match (&$left, &$right) {
            (left, right) => $crate::SUPPORT::note($id, *left == *right),
        }
    };
}
macro_rules! held_ne {
    ($id:expr, $left:expr, $right:expr $(, $($rest:tt)*)?) => {
        match (&$left, &$right) {
            (left, right) => $crate::SUPPORT::note($id, *left != *right),
        }
    };
}
macro_rules! reached {
    ($id:expr, $name:ident $(, $($rest:tt)*)?) => {{
        $crate::SUPPORT::note($id, false);
        ::core::$name!($($($rest)*)?)
    }};
}
pub(crate) use {add, div, held, held_eq, held_ne, mul, of_type, reached, rem, returns, sub};
