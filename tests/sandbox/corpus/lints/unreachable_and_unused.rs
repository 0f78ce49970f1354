// Unused labels, assignments, loops, parentheses, braces, doc comments and unreachable code.
fn f(x: u32) -> u32 {
    let mut total = 0;
    total = x;
    'outer: loop {
        /// not for documentation
        let y = { x };
        while (y > total) {}
        break;
    }
    if x > 3 {
        return 1;
        total += 1;
    }
    total
}

#[cfg(test)]
mod tests {
    #[test]
    fn f() {
        assert_eq!(super::f(2), 2);
    }
}
