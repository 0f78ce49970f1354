// Recursion through an async function and through an opaque type.
async fn depth(n: u32) -> u32 {
    if n == 0 { 0 } else { 1 + depth(n - 1).await }
}

fn numbers(n: u32) -> impl Iterator<Item = u32> {
    std::iter::once(n).chain(numbers(n - 1))
}

#[cfg(test)]
mod tests {
    #[test]
    fn first() {
        assert_eq!(super::numbers(3).next(), Some(3));
    }
}
