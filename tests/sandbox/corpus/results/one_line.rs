// A program on one line, without a newline at its end. 
fn f(x: u8) -> u8 { x } #[cfg(test)] mod tests { use super::*; #[test] fn t() { assert_eq!(f(1), 1) } }