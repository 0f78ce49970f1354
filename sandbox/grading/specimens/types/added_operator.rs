// An operator with a foreign left side: adding it makes `&str` comparisons need their types.
struct Name(&'static str);

impl PartialEq<Name> for str {
    fn eq(&self, other: &Name) -> bool {
        self == other.0
    }
}

fn is_ann(text: &str) -> bool {
    *text == Name("ann")
}

fn same(text: &str, other: &str) -> bool {
    *text == *other.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ann() {
        assert!(is_ann("ann"));
        assert!(same("a", "a"));
    }
}
