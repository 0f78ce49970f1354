// A text direction character in a literal, which rustc denies, and a zero width space, which the linter denies.
fn label() -> &'static str {
    "left‮right"
}

fn gap() -> &'static str {
    "a​b"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn have_a_length() {
        assert_eq!(label().chars().count(), 10);
        assert_eq!(gap().chars().count(), 3);
    }
}
