// Panics that are caught, with their payloads.
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

fn words(f: impl FnOnce()) -> Option<String> {
    let payload = catch_unwind(AssertUnwindSafe(f)).err()?;
    match payload.downcast::<String>() {
        Ok(text) => Some(*text),
        Err(other) => other.downcast::<&str>().ok().map(|s| s.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads() {
        assert_eq!(words(|| {}), None);
        assert_eq!(words(|| panic!("plain")).as_deref(), Some("plain"));
        let n = 3;
        assert_eq!(words(|| panic!("n is {n}")).as_deref(), Some("n is 3"));
        assert_eq!(words(|| resume_unwind(Box::new(5))), None);
    }

    #[test]
    fn caught_in_vain() {
        let mut n = 0;
        let _ = catch_unwind(AssertUnwindSafe(|| {
            n += 1;
            panic!();
        }));
        assert_eq!(n, 2);
    }
}
