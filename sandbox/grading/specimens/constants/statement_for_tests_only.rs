// A statement that exists for tests alone keeps an index in bounds: a build refuses the function.
fn pick() -> i32 {
    let i = 5;
    #[cfg(test)]
    let i = 0;
    let xs = [1, 2, 3];
    xs[i]
}

#[cfg(test)]
mod tests {
    #[test]
    fn picks() {
        assert_eq!(super::pick(), 1);
    }
}
