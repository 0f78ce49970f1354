// Asks for the warnings that are switched off: dead code and missing documentation.
#![warn(dead_code, missing_docs, unreachable_pub, unused_results)]

pub fn documented_by_nobody() -> u8 {
    1
}

fn never_used() {
    std::collections::HashSet::new().insert(documented_by_nobody());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one() {
        assert_eq!(documented_by_nobody(), 1);
    }
}
