// A collect in the tests that lacks its type.
fn evens(limit: u32) -> impl Iterator<Item = u32> {
    (0..limit).filter(|n| n % 2 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collects() {
        let found = evens(5).collect();
        assert_eq!(found.len(), 3);
    }
}
