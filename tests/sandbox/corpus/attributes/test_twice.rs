// A test that is marked as one twice, and one that is async.
fn f() -> u8 {
    4
}

#[cfg(test)]
mod tests {
    #[test]
    #[test]
    fn twice() {
        assert_eq!(super::f(), 4);
    }
}
