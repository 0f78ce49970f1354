// Letters outside ASCII in a literal, where names must be ASCII.
#![forbid(non_ascii_idents)]

fn is_accented(c: char) -> bool {
    "éèêë".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents() {
        assert!(is_accented('é'));
        assert!(!is_accented('e'));
    }
}
