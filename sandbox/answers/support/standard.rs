//! Types of the standard library, whose equality, order and methods are not the program's.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

/// A type that is made of types of the standard library only.
pub trait Standard {}

/// Hand a value on, and compile only if code of the standard library meets no type of the program in it.
pub fn standard_for_answers<T: Standard>(value: T) -> T {
    value
}

macro_rules! plain {
    ($($kind:ty)*) => {$( impl Standard for $kind {} )*};
}
plain! { () i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize bool char f32 f64 str String }
plain! { std::cmp::Ordering std::time::Duration std::path::PathBuf std::num::ParseIntError std::num::ParseFloatError }

macro_rules! around_one {
    ($($kind:ty)*) => {$( impl<T: Standard> Standard for $kind {} )*};
}
around_one! { Vec<T> [T] Option<T> VecDeque<T> LinkedList<T> HashSet<T> BTreeSet<T> }

macro_rules! around_unsized {
    ($($kind:ty)*) => {$( impl<T: Standard + ?Sized> Standard for $kind {} )*};
}
around_unsized! { &T &mut T Box<T> Rc<T> Arc<T> }

impl<T: Standard, const N: usize> Standard for [T; N] {}
impl<T: Standard, E: Standard> Standard for Result<T, E> {}
impl<K: Standard, V: Standard> Standard for HashMap<K, V> {}
impl<K: Standard, V: Standard> Standard for BTreeMap<K, V> {}

macro_rules! tuples {
    ($(($($name:ident)+))*) => {$( impl<$($name: Standard),+> Standard for ($($name,)+) {} )*};
}
tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }
