// Letters outside ASCII where every warning is an error.
#![deny(warnings)]

/// Counts vowels, umlauts included.
fn count_vowels(s: &str) -> usize {
    s.chars().filter(|c| "aeiouäöü".contains(*c)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn german() {
        assert_eq!(count_vowels("schön"), 1);
    }
}
