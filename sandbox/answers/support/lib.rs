//! What a program under question is linked with: it writes the values of calls to a file, in a form that Python reads.
//!
//! Built once for each toolchain. A program knows it under a random name only; what it could do with it, it could do
//! without it: write answers of its own.

pub use ::std;

mod collections;
mod errors;
mod sending;
mod standard;
mod values;

pub use sending::{Answers, Nothing, Probe, Variant, Whole, WithoutError, WithoutValue};
pub use standard::{standard_for_answers, Standard};
pub use values::{close, constructor, open, Wire};
