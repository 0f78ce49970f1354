// Includes a file that is not there, in the code and in the tests.
const WORDS: &str = include_str!("words.txt");

fn count() -> usize {
    WORDS.lines().count()
}

#[cfg(test)]
mod tests {
    #[test]
    fn counts() {
        assert_eq!(super::count(), include_bytes!("expected.bin").len());
    }
}
