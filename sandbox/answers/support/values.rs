//! How numbers, texts, pointers and cells are written.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::num::Wrapping;
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};

/// A value that is written as a term: JSON, in which a list begins with the kind of the term.
pub trait Wire {
    fn wire_for_answers(&self, out: &mut String);
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

pub fn applied<T: Wire + ?Sized>(out: &mut String, name: &str, value: &T) {
    constructor(out, "k", name);
    out.push(',');
    value.wire_for_answers(out);
    close(out);
}

pub fn opaque(out: &mut String) {
    out.push_str("[\"o\"]");
}

pub fn applied_to_opaque(out: &mut String, name: &str) {
    constructor(out, "k", name);
    out.push(',');
    opaque(out);
    close(out);
}

pub fn none(out: &mut String) {
    constructor(out, "k", "None");
    close(out);
}

pub fn listed<'a, T: Wire + 'a>(out: &mut String, kind: &str, values: impl Iterator<Item = &'a T>) {
    open(out, kind);
    for value in values {
        out.push(',');
        value.wire_for_answers(out);
    }
    close(out);
}

pub fn mapped<'a, K: Wire + 'a, V: Wire + 'a>(out: &mut String, pairs: impl Iterator<Item = (&'a K, &'a V)>) {
    open(out, "m");
    for (key, value) in pairs {
        out.push_str(",[");
        key.wire_for_answers(out);
        out.push(',');
        value.wire_for_answers(out);
        close(out);
    }
    close(out);
}

pub fn text(out: &mut String, value: &str) {
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

macro_rules! bare {
    ($($kind:ident)*) => {$(
        impl Wire for $kind {
            fn wire_for_answers(&self, out: &mut String) {
                out.push_str(&self.to_string());
            }
        }
    )*};
}
bare! { i32 bool }

macro_rules! integers {
    ($($kind:ident $width:literal)*) => {$(
        impl Wire for $kind {
            fn wire_for_answers(&self, out: &mut String) {
                open(out, $width);
                out.push(',');
                out.push_str(&self.to_string());
                close(out);
            }
        }
    )*};
}
integers! { i8 "i8" i16 "i16" i64 "i64" i128 "i128" isize "isize" u8 "u8" u16 "u16" u32 "u32" u64 "u64" u128 "u128" usize "usize" }

macro_rules! floats {
    ($($kind:ident $width:literal)*) => {$(
        impl Wire for $kind {
            fn wire_for_answers(&self, out: &mut String) {
                open(out, $width);
                out.push_str(",\"");
                out.push_str(&format!("{:?}", self));
                out.push_str("\"]");
            }
        }
    )*};
}
floats! { f32 "f32" f64 "f64" }

impl Wire for char {
    fn wire_for_answers(&self, out: &mut String) {
        open(out, "c");
        out.push(',');
        text(out, self.encode_utf8(&mut [0; 4]));
        close(out);
    }
}
impl Wire for str {
    fn wire_for_answers(&self, out: &mut String) {
        text(out, self);
    }
}
impl Wire for String {
    fn wire_for_answers(&self, out: &mut String) {
        text(out, self);
    }
}

macro_rules! transparent {
    ($($kind:ty)*) => {$(
        impl<T: Wire + ?Sized> Wire for $kind {
            fn wire_for_answers(&self, out: &mut String) {
                (**self).wire_for_answers(out);
            }
        }
    )*};
}
transparent! { &T &mut T Box<T> Rc<T> Arc<T> }

impl<T: Wire + ToOwned + ?Sized> Wire for Cow<'_, T> {
    fn wire_for_answers(&self, out: &mut String) {
        (**self).wire_for_answers(out);
    }
}
impl<T: Wire + Copy> Wire for Cell<T> {
    fn wire_for_answers(&self, out: &mut String) {
        self.get().wire_for_answers(out);
    }
}
impl<T: Wire> Wire for RefCell<T> {
    fn wire_for_answers(&self, out: &mut String) {
        self.borrow().wire_for_answers(out);
    }
}
impl<T: Wire> Wire for Mutex<T> {
    fn wire_for_answers(&self, out: &mut String) {
        self.lock().unwrap().wire_for_answers(out);
    }
}
impl<T: Wire> Wire for RwLock<T> {
    fn wire_for_answers(&self, out: &mut String) {
        self.read().unwrap().wire_for_answers(out);
    }
}
impl<T: Wire> Wire for Wrapping<T> {
    fn wire_for_answers(&self, out: &mut String) {
        applied(out, "Wrapping", &self.0);
    }
}
impl<T: Wire> Wire for Reverse<T> {
    fn wire_for_answers(&self, out: &mut String) {
        applied(out, "Reverse", &self.0);
    }
}
