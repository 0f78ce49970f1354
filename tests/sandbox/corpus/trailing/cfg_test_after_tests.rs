// The test module, and at the very end one more attribute for tests only.
fn f() -> u8 {
    3
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::f(), 3);
    }
}

#[cfg(test)]
