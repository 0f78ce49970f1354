// A Cow that is owned only when something changes.
use std::borrow::Cow;

/// Replaces tabs by four spaces.
fn expand_tabs(text: &str) -> Cow<'_, str> {
    if text.contains('\t') {
        Cow::Owned(text.replace('\t', "    "))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borrows_when_it_can() {
        assert!(matches!(expand_tabs("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn owns_when_it_must() {
        let text = expand_tabs("\tx");
        assert_eq!(text, "    x");
        assert!(matches!(text, Cow::Owned(_)));
    }
}
