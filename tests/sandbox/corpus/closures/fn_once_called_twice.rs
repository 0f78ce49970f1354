// A closure that moves what it captured is called twice.
fn consume(name: String) -> usize {
    let take = move || name;
    let first = take();
    let second = take();
    first.len() + second.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consumes() {
        assert_eq!(consume("ab".to_string()), 4);
    }
}
