// An import of what the prelude has already, and one that only a comment names.
use std::fmt::Debug;
use std::option::Option::Some;
use std::string::String;

/// Shows anything that is `Debug`.
fn show(x: Option<u32>) -> String {
    match x {
        Some(x) => x.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows() {
        assert_eq!(show(Some(3)), "3");
    }
}
