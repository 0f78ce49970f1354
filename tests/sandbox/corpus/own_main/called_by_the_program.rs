// A function that calls the main that follows, and a reference to it.
fn again(n: u8) -> u8 {
    let f: fn() = main;
    if n > 0 {
        f();
        main();
    }
    n
}

#[cfg(test)]
mod tests {
    #[test]
    fn calls() {
        assert_eq!(super::again(1), 1);
    }
}
