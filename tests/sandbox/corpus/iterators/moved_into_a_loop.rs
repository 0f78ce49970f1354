// Uses a vector after a loop consumed it.
fn print_and_count(items: Vec<String>) -> usize {
    for item in items {
        println!("{item}");
    }
    items.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(print_and_count(vec!["a".into(), "b".into()]), 2);
    }
}
