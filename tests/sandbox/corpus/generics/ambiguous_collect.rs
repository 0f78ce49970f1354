// A type that cannot be inferred.
fn evens(n: u32) -> usize {
    let found = (0..n).filter(|x| x % 2 == 0).collect();
    found.len()
}

#[cfg(test)]
mod tests {
    use super::evens;

    #[test]
    fn ten() {
        assert_eq!(evens(10), 5);
    }
}
