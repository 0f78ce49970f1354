// The crate under its own name, as from outside.
fn f() -> u8 {
    rust_program::g()
}

pub fn g() -> u8 {
    3
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::f(), 3);
    }
}
