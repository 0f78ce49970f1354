// Pushes to a vector while an element is borrowed.
fn duplicate_first(words: &mut Vec<String>) -> usize {
    let first = &words[0];
    words.push(first.clone());
    first.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates() {
        let mut words = vec!["ab".to_string()];
        assert_eq!(duplicate_first(&mut words), 2);
    }
}
