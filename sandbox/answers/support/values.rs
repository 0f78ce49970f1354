//! What a program under question is linked with: it writes the values of calls to a file, in a form that Python reads.
//!
//! The files of this folder become one module. NAME stands for a random word. Macros are called by their full path, since
//! the program may have its own.

use ::std::borrow::{Cow, ToOwned};
use ::std::boxed::Box;
use ::std::cell::{Cell, RefCell};
use ::std::cmp::{Ordering, Reverse};
use ::std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use ::std::io::Write;
use ::std::iter::{IntoIterator, Iterator};
use ::std::ops::{FnOnce, Range, RangeInclusive};
use ::std::option::Option::{self, None, Some};
use ::std::rc::Rc;
use ::std::result::Result::{self, Err, Ok};
use ::std::string::String;
use ::std::sync::{Arc, Mutex, RwLock};
use ::std::time::Duration;
use ::std::vec::Vec;

/// A value that is written as a term: JSON, in which a list begins with the kind of the term.
pub trait Wire {
    fn wire_NAME(&self, out: &mut String);
}

pub fn open(out: &mut String, kind: &str) {
    out.push_str("[\"");
    out.push_str(kind);
    out.push('"');
}

pub fn close(out: &mut String) {
    out.push(']');
}

/// The kind and the name of a constructor.
pub fn constructor(out: &mut String, kind: &str, name: &str) {
    open(out, kind);
    out.push_str(",\"");
    out.push_str(name);
    out.push('"');
}

fn applied<T: Wire + ?::std::marker::Sized>(out: &mut String, name: &str, value: &T) {
    constructor(out, "k", name);
    out.push(',');
    value.wire_NAME(out);
    close(out);
}

fn opaque(out: &mut String) {
    out.push_str("[\"o\"]");
}

fn applied_to_opaque(out: &mut String, name: &str) {
    constructor(out, "k", name);
    out.push(',');
    opaque(out);
    close(out);
}

fn none(out: &mut String) {
    constructor(out, "k", "None");
    close(out);
}

fn listed<'a, T: Wire + 'a>(out: &mut String, kind: &str, values: impl Iterator<Item = &'a T>) {
    open(out, kind);
    for value in values {
        out.push(',');
        value.wire_NAME(out);
    }
    close(out);
}

fn mapped<'a, K: Wire + 'a, V: Wire + 'a>(out: &mut String, pairs: impl Iterator<Item = (&'a K, &'a V)>) {
    open(out, "m");
    for (key, value) in pairs {
        out.push_str(",[");
        key.wire_NAME(out);
        out.push(',');
        value.wire_NAME(out);
        close(out);
    }
    close(out);
}

fn text(out: &mut String, value: &str) {
    out.push('"');
    for letter in value.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0'..='\u{1f}' => {
                let code = letter as u8;
                out.push_str(if code < 16 { "\\u000" } else { "\\u001" });
                out.push("0123456789abcdef".as_bytes()[(code % 16) as usize] as char);
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
}

macro_rules! integers_NAME {
    ($($kind:ident)*) => {$(
        impl Wire for ::std::primitive::$kind {
            fn wire_NAME(&self, out: &mut String) {
                out.push_str(&::std::string::ToString::to_string(self));
            }
        }
    )*};
}
integers_NAME! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize bool }

macro_rules! floats_NAME {
    ($($kind:ident $width:literal)*) => {$(
        impl Wire for ::std::primitive::$kind {
            fn wire_NAME(&self, out: &mut String) {
                open(out, $width);
                out.push_str(",\"");
                out.push_str(&::std::format!("{:?}", self));
                out.push_str("\"]");
            }
        }
    )*};
}
floats_NAME! { f32 "f32" f64 "f64" }

impl Wire for ::std::primitive::char {
    fn wire_NAME(&self, out: &mut String) {
        open(out, "c");
        out.push(',');
        text(out, self.encode_utf8(&mut [0; 4]));
        close(out);
    }
}
impl Wire for ::std::primitive::str {
    fn wire_NAME(&self, out: &mut String) {
        text(out, self);
    }
}
impl Wire for String {
    fn wire_NAME(&self, out: &mut String) {
        text(out, self);
    }
}

macro_rules! transparent_NAME {
    ($($kind:ty)*) => {$(
        impl<T: Wire + ?::std::marker::Sized> Wire for $kind {
            fn wire_NAME(&self, out: &mut String) {
                (**self).wire_NAME(out);
            }
        }
    )*};
}
transparent_NAME! { &T &mut T Box<T> Rc<T> Arc<T> }

impl<T: Wire + ToOwned + ?::std::marker::Sized> Wire for Cow<'_, T> {
    fn wire_NAME(&self, out: &mut String) {
        (**self).wire_NAME(out);
    }
}
impl<T: Wire + ::std::marker::Copy> Wire for Cell<T> {
    fn wire_NAME(&self, out: &mut String) {
        self.get().wire_NAME(out);
    }
}
impl<T: Wire> Wire for RefCell<T> {
    fn wire_NAME(&self, out: &mut String) {
        self.borrow().wire_NAME(out);
    }
}
impl<T: Wire> Wire for Mutex<T> {
    fn wire_NAME(&self, out: &mut String) {
        self.lock().unwrap().wire_NAME(out);
    }
}
impl<T: Wire> Wire for RwLock<T> {
    fn wire_NAME(&self, out: &mut String) {
        self.read().unwrap().wire_NAME(out);
    }
}
impl<T: Wire> Wire for Reverse<T> {
    fn wire_NAME(&self, out: &mut String) {
        applied(out, "Reverse", &self.0);
    }
}
