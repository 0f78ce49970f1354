// The function is right; a test keeps a reference too long.
fn first_word(s: &str) -> &str {
    s.split_whitespace().next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_reference_too_long() {
        let word;
        {
            let text = String::from("hello world");
            word = first_word(&text);
        }
        assert_eq!(word, "hello");
    }
}
