// Moves a value while it is borrowed.
fn finish(text: String) -> (usize, Box<str>) {
    let words: Vec<&str> = text.split(' ').collect();
    let boxed = text.into_boxed_str();
    (words.len(), boxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finishes() {
        assert_eq!(finish("a b".into()).0, 2);
    }
}
