//! How collections, tuples and the enums of the standard library are written.

use crate::values::{applied, close, constructor, listed, mapped, none, open, Wire};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

impl<T: Wire> Wire for [T] {
    fn wire_for_answers(&self, out: &mut String) {
        listed(out, "s", self.iter());
    }
}
impl<T: Wire, const N: usize> Wire for [T; N] {
    fn wire_for_answers(&self, out: &mut String) {
        listed(out, "s", self.iter());
    }
}

macro_rules! collections {
    ($($kind:ident $name:literal)*) => {$(
        impl<T: Wire> Wire for $kind<T> {
            fn wire_for_answers(&self, out: &mut String) {
                listed(out, $name, self.iter());
            }
        }
    )*};
}
collections! { Vec "s" VecDeque "s" LinkedList "s" BTreeSet "S" BinaryHeap "S" }
impl<T: Wire, H> Wire for HashSet<T, H> {
    fn wire_for_answers(&self, out: &mut String) {
        listed(out, "S", self.iter());
    }
}
impl<K: Wire, V: Wire, H> Wire for HashMap<K, V, H> {
    fn wire_for_answers(&self, out: &mut String) {
        mapped(out, self.iter());
    }
}
impl<K: Wire, V: Wire> Wire for BTreeMap<K, V> {
    fn wire_for_answers(&self, out: &mut String) {
        mapped(out, self.iter());
    }
}

macro_rules! tuples {
    ($($name:ident $place:tt),*) => {
        impl<$($name: Wire),*> Wire for ($($name,)*) {
            fn wire_for_answers(&self, out: &mut String) {
                open(out, "t");
                $(
                    out.push(',');
                    self.$place.wire_for_answers(out);
                )*
                close(out);
            }
        }
    };
}
tuples!();
tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

impl<T: Wire> Wire for Option<T> {
    fn wire_for_answers(&self, out: &mut String) {
        match self {
            Some(value) => applied(out, "Some", value),
            None => none(out),
        }
    }
}
impl<T: Wire, E: Wire> Wire for Result<T, E> {
    fn wire_for_answers(&self, out: &mut String) {
        match self {
            Ok(value) => applied(out, "Ok", value),
            Err(error) => applied(out, "Err", error),
        }
    }
}
impl Wire for Ordering {
    fn wire_for_answers(&self, out: &mut String) {
        let name = match self {
            Ordering::Less => "Ordering::Less",
            Ordering::Equal => "Ordering::Equal",
            Ordering::Greater => "Ordering::Greater",
        };
        constructor(out, "k", name);
        close(out);
    }
}
impl<T: Wire> Wire for Range<T> {
    fn wire_for_answers(&self, out: &mut String) {
        constructor(out, "k", "Range");
        out.push(',');
        self.start.wire_for_answers(out);
        out.push(',');
        self.end.wire_for_answers(out);
        close(out);
    }
}
impl<T: Wire> Wire for RangeInclusive<T> {
    fn wire_for_answers(&self, out: &mut String) {
        constructor(out, "k", "RangeInclusive");
        out.push(',');
        self.start().wire_for_answers(out);
        out.push(',');
        self.end().wire_for_answers(out);
        close(out);
    }
}
impl Wire for Duration {
    fn wire_for_answers(&self, out: &mut String) {
        applied(out, "Duration", &self.as_nanos());
    }
}
