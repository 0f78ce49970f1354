// The attribute of a test at the very end: it makes a test of what follows.
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

#[test]
