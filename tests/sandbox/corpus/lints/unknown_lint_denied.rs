// A lint of rustc's that does not exist, where unknown lints are errors.
#![deny(unknown_lints)]

#[allow(unused_varables)]
fn f(x: u32) -> u32 {
    x + 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn f() {
        assert_eq!(super::f(1), 2);
    }
}
