// The main that follows is called by a closure and named in a path.
fn runs(n: usize) -> usize {
    let run = || crate::main();
    (0..n).map(|_| run()).count()
}

#[cfg(test)]
mod tests {
    #[test]
    fn twice() {
        assert_eq!(super::runs(2), 2);
    }
}
