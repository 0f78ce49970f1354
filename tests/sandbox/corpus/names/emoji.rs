// A name that is a picture.
fn f() -> u8 {
    3
}

#[cfg(test)]
mod tests {
    #[test]
    fn 🦀() {
        assert_eq!(super::f(), 3);
    }
}
