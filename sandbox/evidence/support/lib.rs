//! What an instrumented program is linked with: switches, values for its functions to return, and records.
//!
//! Built once for each toolchain. A program knows it under a random name only, and its methods have a secret word in
//! their names, so that no method of a program hides them.
//!
//! The environment variable EVIDENCE says the word before records, which mutant is switched on (0: none), how much fuel
//! its loops have, a number from which values are drawn, and whether false asserts end their tests; a program that reads the environment is not examined.

mod alterations;
mod changes;
mod records;
mod values;

pub use alterations::*;
pub use changes::*;
pub use records::*;
pub use values::*;
