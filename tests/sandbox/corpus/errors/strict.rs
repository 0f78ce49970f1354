// Denies what a careful author denies, and keeps to it.
#![deny(warnings, unused_results, unused_qualifications, unreachable_pub, missing_debug_implementations)]
#![deny(single_use_lifetimes, unused_lifetimes, let_underscore_drop, non_ascii_idents, trivial_casts)]
#![forbid(unsafe_code, unused_must_use)]

use std::collections::HashMap;

#[derive(Debug, Default)]
struct Inventory {
    items: HashMap<String, u32>,
}

impl Inventory {
    fn add(&mut self, name: &str, n: u32) -> Option<u32> {
        self.items.insert(name.to_owned(), n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        let mut inventory = Inventory::default();
        assert_eq!(inventory.add("nail", 3), None);
        assert_eq!(inventory.add("nail", 4), Some(3));
    }
}
