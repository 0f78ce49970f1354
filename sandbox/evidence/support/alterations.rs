//! Values that differ a little from others, which an equality written by hand may not see.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

pub trait Alter {
    // Alter the part of a value that `at` more parts come before; whether there was one.
    fn alter(&mut self, at: &mut usize) -> bool;
}

fn reached(at: &mut usize) -> bool {
    let reached = *at == 0;
    *at = at.wrapping_sub(1);
    reached
}

macro_rules! parts {
    ($($t:ty, $value:ident => $change:expr;)*) => { $(
        impl Alter for $t {
            fn alter(&mut self, at: &mut usize) -> bool {
                let $value = &mut *self;
                reached(at) && { $change; true }
            }
        }
    )* };
}
// The next number, and twice as much: what a test of divisors or signs does not see.
macro_rules! numbers {
    ($($t:ty)*) => { $(
        impl Alter for $t {
            fn alter(&mut self, at: &mut usize) -> bool {
                if reached(at) {
                    *self = crate::Number::next(*self);
                } else if *self != 0 as $t && reached(at) {
                    *self = crate::Number::twice(*self);
                } else {
                    return false;
                }
                true
            }
        }
    )* };
}
numbers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 }
parts! {
    bool, value => *value = !*value;
    char, value => *value = other_case(*value).unwrap_or(if *value == 'x' { 'y' } else { 'x' });
}
// The case of a letter is all that some comparisons do not see.
fn other_case(c: char) -> Option<char> {
    c.is_ascii_alphabetic().then(|| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
}
// The end of a text, its first letter, and what comes after it.
impl Alter for String {
    fn alter(&mut self, at: &mut usize) -> bool {
        if reached(at) {
            let last = self.pop();
            self.push(last.and_then(other_case).unwrap_or(if last == Some('x') { 'y' } else { 'x' }));
        } else if self.chars().nth(1).is_some() && reached(at) {
            self.replace_range(..self.chars().next().map_or(0, char::len_utf8), "~");
        } else if reached(at) {
            self.push('~');
        } else {
            return false;
        }
        true
    }
}
impl Alter for &str {
    fn alter(&mut self, at: &mut usize) -> bool {
        let mut text = String::from(*self);
        text.alter(at) && { *self = text.leak(); true }
    }
}

macro_rules! several {
    ($($t:ty: ($($bound:tt)*), $values:ident;)*) => { $(
        impl<$($bound)*> Alter for $t {
            fn alter(&mut self, at: &mut usize) -> bool {
                self.$values().any(|value| value.alter(at))
            }
        }
    )* };
}
several! {
    Vec<T>: (T: Alter), iter_mut;
    [T]: (T: Alter), iter_mut;
    [T; N]: (T: Alter, const N: usize), iter_mut;
    VecDeque<T>: (T: Alter), iter_mut;
    Option<T>: (T: Alter), iter_mut;
    HashMap<K, V>: (K, V: Alter), values_mut;
    BTreeMap<K, V>: (K, V: Alter), values_mut;
}
impl<T: Alter + Same> Alter for &T {
    fn alter(&mut self, at: &mut usize) -> bool {
        let made = T::same(self);
        made.is_some_and(|mut made| made.alter(at) && { *self = Box::leak(Box::new(made)); true })
    }
}
impl<T: Alter + Same> Alter for &[T] {
    fn alter(&mut self, at: &mut usize) -> bool {
        let made: Option<Vec<T>> = self.iter().map(Same::same).collect();
        made.is_some_and(|mut made| made.alter(at) && { *self = made.leak(); true })
    }
}
impl<T: Ord> Alter for BTreeSet<T> {
    fn alter(&mut self, at: &mut usize) -> bool {
        !self.is_empty() && reached(at) && self.pop_last().is_some()
    }
}
impl<T: Eq + std::hash::Hash + Clone> Alter for HashSet<T> {
    fn alter(&mut self, at: &mut usize) -> bool {
        let first = self.iter().next().cloned();
        first.is_some_and(|first| reached(at) && self.remove(&first))
    }
}
impl<T: Alter, E: Alter> Alter for Result<T, E> {
    fn alter(&mut self, at: &mut usize) -> bool {
        match self {
            Ok(value) => value.alter(at),
            Err(value) => value.alter(at),
        }
    }
}
impl<T: Alter + ?Sized> Alter for Box<T> {
    fn alter(&mut self, at: &mut usize) -> bool {
        (**self).alter(at)
    }
}
macro_rules! tuples {
    ($(($($t:ident)*))*) => { $(
        impl<$($t: Alter),*> Alter for ($($t,)*) {
            #[allow(non_snake_case)]
            fn alter(&mut self, at: &mut usize) -> bool {
                let ($($t,)*) = self;
                false $(|| $t.alter(at))*
            }
        }
    )* };
}
tuples! { (A) (A B) (A B C) (A B C D) }

// A value that is equal to another one, made from its parts.
pub trait Same: Sized {
    fn same(&self) -> Option<Self>;
}
macro_rules! clones {
    ($($t:ty)*) => { $(
        impl Same for $t {
            fn same(&self) -> Option<Self> {
                Some(self.clone())
            }
        }
    )* };
}
clones! { () i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 bool char String }
impl<T: ?Sized> Same for &T {
    fn same(&self) -> Option<Self> {
        Some(*self)
    }
}
macro_rules! collected {
    ($($t:ty: ($($bound:tt)*);)*) => { $(
        impl<$($bound)*> Same for $t {
            fn same(&self) -> Option<Self> {
                self.iter().map(Same::same).collect()
            }
        }
    )* };
}
collected! {
    Vec<T>: (T: Same);
    VecDeque<T>: (T: Same);
    HashSet<T>: (T: Same + Eq + ::std::hash::Hash);
    BTreeSet<T>: (T: Same + Ord);
}
impl<T: Same, const N: usize> Same for [T; N] {
    fn same(&self) -> Option<Self> {
        self.iter().map(Same::same).collect::<Option<Vec<T>>>()?.try_into().ok()
    }
}
impl<K: Same + Eq + ::std::hash::Hash, V: Same> Same for HashMap<K, V> {
    fn same(&self) -> Option<Self> {
        self.iter().map(|(k, v)| Some((k.same()?, v.same()?))).collect()
    }
}
impl<K: Same + Ord, V: Same> Same for BTreeMap<K, V> {
    fn same(&self) -> Option<Self> {
        self.iter().map(|(k, v)| Some((k.same()?, v.same()?))).collect()
    }
}
impl<T: Same> Same for Option<T> {
    fn same(&self) -> Option<Self> {
        match self {
            Some(value) => value.same().map(Some),
            None => Some(None),
        }
    }
}
impl<T: Same, E: Same> Same for Result<T, E> {
    fn same(&self) -> Option<Self> {
        match self {
            Ok(value) => value.same().map(Ok),
            Err(value) => value.same().map(Err),
        }
    }
}
impl<T: Same> Same for Box<T> {
    fn same(&self) -> Option<Self> {
        (**self).same().map(Box::new)
    }
}
macro_rules! same_tuples {
    ($(($($t:ident)*))*) => { $(
        impl<$($t: Same),*> Same for ($($t,)*) {
            #[allow(non_snake_case)]
            fn same(&self) -> Option<Self> {
                let ($($t,)*) = self;
                Some(($($t.same()?,)*))
            }
        }
    )* };
}
same_tuples! { (A) (A B) (A B C) (A B C D) }

// `same_part!` and `alter_part!` know what to do with a type or do nothing: method lookup chooses.
pub struct Place<'a, T>(pub &'a mut T);
pub trait Altered {
    fn alter_secret_word(&mut self, at: &mut usize) -> bool;
}
impl<T: Alter> Altered for &mut Place<'_, T> {
    fn alter_secret_word(&mut self, at: &mut usize) -> bool {
        self.0.alter(at)
    }
}
pub trait Kept {
    fn alter_secret_word(&mut self, at: &mut usize) -> bool;
}
impl<T> Kept for Place<'_, T> {
    fn alter_secret_word(&mut self, at: &mut usize) -> bool {
        alter_by_name(self.0, at)
    }
}
pub struct Original<'a, T>(pub &'a T);
pub trait Copied<T> {
    fn same_secret_word(&self) -> Option<T>;
}
impl<T: Same> Copied<T> for &Original<'_, T> {
    fn same_secret_word(&self) -> Option<T> {
        self.0.same()
    }
}
pub trait Single<T> {
    fn same_secret_word(&self) -> Option<T>;
}
impl<T> Single<T> for Original<'_, T> {
    fn same_secret_word(&self) -> Option<T> {
        None
    }
}
#[macro_export]
macro_rules! alter_part {
    ($place:expr, $at:expr) => {{
        use $crate::{Altered as _, Kept as _};
        (&mut &mut $crate::Place($place)).alter_secret_word($at)
    }};
}
#[macro_export]
macro_rules! same_part {
    ($value:expr) => {{
        use $crate::{Copied as _, Single as _};
        (&&$crate::Original($value)).same_secret_word()
    }};
}

// What a parameter of generic code stands for is known when it runs, by name.
fn alter_by_name<T>(value: &mut T, at: &mut usize) -> bool {
    macro_rules! named {
        ($($t:ty)*) => { $(
            if crate::is_type::<T, $t>() {
                // Sound: T is this type.
                return unsafe { &mut *::std::ptr::from_mut(value).cast::<$t>() }.alter(at);
            }
        )* };
    }
    named! { i32 i64 u32 u64 usize u8 f64 bool char String &'static str Vec<i32> Vec<u8> Vec<String> Vec<f64> Vec<char> }
    false
}

// In place of `assert_eq!` where a program says itself what is equal: with this mutant an assert also writes down
// whether it holds for values that differ in one part.
#[macro_export]
macro_rules! held_alike {
    ($id:expr, $($all:tt)*) => {{
        const PLACE_secret_word: u64 = $crate::place_of(stringify!($($all)*));
        $crate::alike_at!($id, PLACE_secret_word, $($all)*)
    }};
}
#[macro_export]
macro_rules! alike_at {
    ($id:expr, $place:expr, $left:expr, $right:expr $(, $($message:tt)*)?) => {{
        let _watched = $crate::Watched(line!(), $place);
        match (&$left, &$right) {
            (left, right) => {
                $crate::note(line!(), $place, *left == *right);
                for part in 0..if $crate::on($id) { 24 } else { 0 } {
                    let (mut at_left, mut at_right) = (part, part);
                    if let ::core::option::Option::Some(mut other) = $crate::same_part!(right) {
                        if $crate::alter_part!(&mut other, &mut at_right) {
                            $crate::alike(line!(), $place, *left == other);
                        }
                    }
                    if let ::core::option::Option::Some(mut other) = $crate::same_part!(left) {
                        if $crate::alter_part!(&mut other, &mut at_left) {
                            $crate::alike(line!(), $place, other == *right);
                        }
                    }
                }
            }
        }
    }};
}

// At the end of an equality written by hand: where it holds it is asked about values that differ in one part, too.
#[macro_export]
macro_rules! told_apart {
    ($id:expr, $held:expr, $left:expr, $right:expr) => {
        if $held && $crate::on($id) {
            if let ::core::option::Option::Some(_outermost) = $crate::outermost() {
                $crate::record_equality(false);
                for part in 0..24 {
                    let (mut at_left, mut at_right) = (part, part);
                    if let ::core::option::Option::Some(mut other) = $crate::same_part!($right) {
                        if $crate::alter_part!(&mut other, &mut at_right) {
                            $crate::record_equality(true);
                            $crate::alike(line!(), 0, ::core::cmp::PartialEq::eq($left, &other));
                        }
                    }
                    if let ::core::option::Option::Some(mut other) = $crate::same_part!($left) {
                        if $crate::alter_part!(&mut other, &mut at_left) {
                            $crate::record_equality(true);
                            $crate::alike(line!(), 0, ::core::cmp::PartialEq::eq(&other, $right));
                        }
                    }
                }
            }
        }
    };
}
impl<T: Same> Same for ::std::rc::Rc<T> {
    fn same(&self) -> Option<Self> {
        (**self).same().map(Self::new)
    }
}
impl<T: Alter> Alter for ::std::rc::Rc<T> {
    fn alter(&mut self, at: &mut usize) -> bool {
        Self::get_mut(self).is_some_and(|value| value.alter(at))
    }
}
impl<T: Same> Same for ::std::cell::RefCell<T> {
    fn same(&self) -> Option<Self> {
        self.try_borrow().ok()?.same().map(Self::new)
    }
}
impl<T: Alter> Alter for ::std::cell::RefCell<T> {
    fn alter(&mut self, at: &mut usize) -> bool {
        self.get_mut().alter(at)
    }
}
