// A string that never ends.
fn name() -> &'static str {
    "Ferris
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_ferris() {
        assert_eq!(name(), "Ferris");
    }
}
