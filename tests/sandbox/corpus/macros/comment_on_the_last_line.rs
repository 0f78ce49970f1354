// The last line is a comment without a newline, after a macro call without a semicolon.
macro_rules! id { ($x:expr) => { $x } }
fn f() -> u8 { id!(3) }
#[test]
fn three() { assert_eq!(f(), 3) }
// the end