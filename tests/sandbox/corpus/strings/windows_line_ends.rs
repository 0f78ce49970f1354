// Lines that end as on Windows, in a literal too.
const TEXT: &str = "one
two";

/// Counts lines.
fn lines(s: &str) -> usize {
    s.lines().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two() {
        assert_eq!(lines(TEXT), 2);
        assert!(!TEXT.contains('\r'));
    }
}
