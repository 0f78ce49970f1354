//! Alters a value a little: what an equality written by hand may not see.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

pub trait Alter {
    // Whether it is another value now.
    fn alter(&mut self) -> bool;
}

macro_rules! numbers {
    ($($t:ty)*) => { $(
        impl Alter for $t {
            fn alter(&mut self) -> bool {
                *self = crate::Number::next(*self);
                true
            }
        }
    )* };
}
numbers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 }

impl Alter for bool {
    fn alter(&mut self) -> bool {
        *self = !*self;
        true
    }
}
impl Alter for char {
    fn alter(&mut self) -> bool {
        *self = other_case(*self).unwrap_or(if *self == 'x' { 'y' } else { 'x' });
        true
    }
}
// The case of a letter is all that some comparisons do not see.
fn other_case(c: char) -> Option<char> {
    c.is_ascii_alphabetic().then(|| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
}
impl Alter for String {
    fn alter(&mut self) -> bool {
        let last = self.pop();
        self.push(last.and_then(other_case).unwrap_or(if last == Some('x') { 'y' } else { 'x' }));
        true
    }
}
impl Alter for &str {
    fn alter(&mut self) -> bool {
        let mut text = String::from(*self);
        text.alter();
        *self = text.leak();
        true
    }
}
impl<T: Alter> Alter for Vec<T> {
    fn alter(&mut self) -> bool {
        self.last_mut().is_some_and(Alter::alter)
    }
}
impl<T: Alter> Alter for VecDeque<T> {
    fn alter(&mut self) -> bool {
        self.back_mut().is_some_and(Alter::alter)
    }
}
impl<K, V: Alter> Alter for HashMap<K, V> {
    fn alter(&mut self) -> bool {
        self.values_mut().next().is_some_and(Alter::alter)
    }
}
impl<K, V: Alter> Alter for BTreeMap<K, V> {
    fn alter(&mut self) -> bool {
        self.values_mut().next().is_some_and(Alter::alter)
    }
}
impl<T: Ord> Alter for BTreeSet<T> {
    fn alter(&mut self) -> bool {
        self.pop_last().is_some()
    }
}
impl<T: Eq + std::hash::Hash + Clone> Alter for HashSet<T> {
    fn alter(&mut self) -> bool {
        let first = self.iter().next().cloned();
        first.is_some_and(|first| self.remove(&first))
    }
}
impl<T: Alter> Alter for Option<T> {
    fn alter(&mut self) -> bool {
        self.as_mut().is_some_and(Alter::alter)
    }
}
impl<T: Alter + ?Sized> Alter for Box<T> {
    fn alter(&mut self) -> bool {
        (**self).alter()
    }
}
impl<T: Alter, const N: usize> Alter for [T; N] {
    fn alter(&mut self) -> bool {
        self.last_mut().is_some_and(Alter::alter)
    }
}
impl<A, B: Alter> Alter for (A, B) {
    fn alter(&mut self) -> bool {
        self.1.alter()
    }
}

// `alter!` finds `Altered` where the type can be altered, else `Kept`: by method lookup.
pub struct Place<'a, T>(pub &'a mut T);
pub trait Altered {
    fn alter_secret_word(&mut self) -> bool;
}
impl<T: Alter> Altered for &mut Place<'_, T> {
    fn alter_secret_word(&mut self) -> bool {
        self.0.alter()
    }
}
pub trait Kept {
    fn alter_secret_word(&mut self) -> bool;
}
impl<T> Kept for Place<'_, T> {
    fn alter_secret_word(&mut self) -> bool {
        alter_by_name(self.0)
    }
}

// What a parameter of generic code stands for is known when it runs, by name.
fn alter_by_name<T>(value: &mut T) -> bool {
    macro_rules! named {
        ($($t:ty)*) => { $(
            if crate::is_type::<T, $t>() {
                // Sound: T is this type.
                return unsafe { &mut *::std::ptr::from_mut(value).cast::<$t>() }.alter();
            }
        )* };
    }
    named! { i32 i64 u32 u64 usize u8 f64 bool char String &'static str Vec<i32> Vec<u8> Vec<String> Vec<f64> Vec<char> }
    named! { Vec<i64> Vec<u32> Vec<u64> Vec<usize> Vec<&'static str> Option<i32> }
    false
}
#[macro_export]
macro_rules! alter {
    ($id:expr, $place:expr) => {
        if $crate::on($id) {
            use $crate::{Altered as _, Kept as _};
            if !(&mut &mut $crate::Place(&mut $place)).alter_secret_word() {
                $crate::unknown($id);
            }
        }
    };
}
