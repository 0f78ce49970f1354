//! How a value of any type is sent, and how a call is made.

use crate::values::{applied, applied_to_opaque, close, none, opaque, open, text, Wire};
use std::io::Write;

/// A value whose type may not be `Wire`. Of the traits below, the compiler takes the first that fits, since a method
/// that needs fewer references is preferred.
pub struct Probe<'a, T: ?Sized>(pub &'a T);

pub trait Whole {
    fn send_for_answers(&self, out: &mut String);
}
impl<T: Wire + ?Sized> Whole for &&&&Probe<'_, T> {
    fn send_for_answers(&self, out: &mut String) {
        self.0.wire_for_answers(out);
    }
}
pub trait WithoutError {
    fn send_for_answers(&self, out: &mut String);
}
impl<T: Wire, E> WithoutError for &&&Probe<'_, Result<T, E>> {
    fn send_for_answers(&self, out: &mut String) {
        match self.0 {
            Ok(value) => applied(out, "Ok", value),
            Err(_) => applied_to_opaque(out, "Err"),
        }
    }
}
pub trait WithoutValue {
    fn send_for_answers(&self, out: &mut String);
}
impl<T, E: Wire> WithoutValue for &&Probe<'_, Result<T, E>> {
    fn send_for_answers(&self, out: &mut String) {
        match self.0 {
            Ok(_) => applied_to_opaque(out, "Ok"),
            Err(error) => applied(out, "Err", error),
        }
    }
}
pub trait Variant {
    fn send_for_answers(&self, out: &mut String);
}
impl<T> Variant for &Probe<'_, Option<T>> {
    fn send_for_answers(&self, out: &mut String) {
        match self.0 {
            Some(_) => applied_to_opaque(out, "Some"),
            None => none(out),
        }
    }
}
impl<T, E> Variant for &Probe<'_, Result<T, E>> {
    fn send_for_answers(&self, out: &mut String) {
        applied_to_opaque(out, if self.0.is_ok() { "Ok" } else { "Err" });
    }
}
pub trait Nothing {
    fn send_for_answers(&self, out: &mut String);
}
impl<T: ?Sized> Nothing for Probe<'_, T> {
    fn send_for_answers(&self, out: &mut String) {
        opaque(out);
    }
}

/// The file that answers go to.
pub struct Answers(std::fs::File);

impl Answers {
    pub fn at(path: String) -> Answers {
        Answers(std::fs::OpenOptions::new().append(true).open(path).unwrap())
    }

    /// Make a call and write its value, or what it panicked with.
    pub fn ask(&mut self, number: usize, call: fn(&mut String)) {
        let called = std::panic::catch_unwind(move || {
            let mut out = String::new();
            call(&mut out);
            out
        });
        let term = match called {
            Ok(term) => term,
            Err(payload) => {
                let mut out = String::new();
                open(&mut out, "!");
                out.push(',');
                let said = match payload.downcast_ref::<&str>() {
                    Some(said) => said,
                    None => payload.downcast_ref::<String>().map_or("", |said| said.as_str()),
                };
                text(&mut out, said);
                close(&mut out);
                std::mem::forget(payload);
                out
            }
        };
        let line = format!("[{},{}]\n", number, term);
        self.0.write_all(line.as_bytes()).unwrap();
    }
}
