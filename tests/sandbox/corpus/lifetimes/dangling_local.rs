// Returns a reference to a local.
fn greeting(name: &str) -> &str {
    let text = format!("Hello, {name}!");
    &text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greets() {
        assert_eq!(greeting("Ann"), "Hello, Ann!");
    }
}
