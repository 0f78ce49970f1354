// A closure that must accept any lifetime.
fn apply_to_all<F>(words: &[String], f: F) -> Vec<usize>
where
    F: for<'a> Fn(&'a str) -> &'a str,
{
    words.iter().map(|w| f(w).len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims() {
        let words = vec![" a ".to_string(), "bcd".to_string()];
        assert_eq!(apply_to_all(&words, |s| s.trim()), vec![1, 3]);
        assert_eq!(apply_to_all(&words, str::trim_start), vec![2, 3]);
    }
}
