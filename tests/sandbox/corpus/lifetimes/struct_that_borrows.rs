// A tokenizer that borrows its input.
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Tokens { rest: text }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let trimmed = self.rest.trim_start();
        if trimmed.is_empty() {
            return None;
        }
        let end = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
        let (token, rest) = trimmed.split_at(end);
        self.rest = rest;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_outlive_the_tokenizer() {
        let text = String::from("  let x  = 1 ");
        let words: Vec<&str> = {
            let tokens = Tokens::new(&text);
            tokens.collect()
        };
        assert_eq!(words, ["let", "x", "=", "1"]);
    }

    #[test]
    fn blank() {
        assert_eq!(Tokens::new("   ").next(), None);
    }
}
