//! How errors are written: those of the standard library by name, others as opaque values.

use crate::values::{close, constructor, opaque, Wire};
use std::error::Error;
use std::num::{IntErrorKind, ParseFloatError, ParseIntError, TryFromIntError};

macro_rules! plain {
    ($($kind:ty, $name:literal;)*) => {$(
        impl Wire for $kind {
            fn wire_for_answers(&self, out: &mut String) {
                constructor(out, "k", $name);
                close(out);
            }
        }
    )*};
}
plain! {
    TryFromIntError, "TryFromIntError";
    std::str::ParseBoolError, "ParseBoolError";
    std::char::ParseCharError, "ParseCharError";
}

impl Wire for ParseIntError {
    fn wire_for_answers(&self, out: &mut String) {
        let kind = match self.kind() {
            IntErrorKind::Empty => "Empty",
            IntErrorKind::InvalidDigit => "InvalidDigit",
            IntErrorKind::PosOverflow => "PosOverflow",
            IntErrorKind::NegOverflow => "NegOverflow",
            IntErrorKind::Zero => "Zero",
            _ => "Other",
        };
        kinded(out, "ParseIntError", "IntErrorKind", kind);
    }
}
impl Wire for ParseFloatError {
    fn wire_for_answers(&self, out: &mut String) {
        let kind = if format!("{:?}", self).contains("Empty") { "Empty" } else { "Invalid" };
        kinded(out, "ParseFloatError", "FloatErrorKind", kind);
    }
}

/// An error with a kind that is an enum.
fn kinded(out: &mut String, name: &str, of: &str, kind: &str) {
    constructor(out, "n", name);
    out.push_str(",[\"kind\",");
    constructor(out, "k", &format!("{}::{}", of, kind));
    close(out);
    close(out);
    close(out);
}

macro_rules! unknown {
    ($($kind:ty)*) => {$(
        impl Wire for $kind {
            fn wire_for_answers(&self, out: &mut String) {
                opaque(out);
            }
        }
    )*};
}
unknown! { dyn Error dyn Error + Send dyn Error + Send + Sync }
