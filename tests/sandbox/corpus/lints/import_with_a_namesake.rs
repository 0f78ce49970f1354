// The same, and an enum's variant has the import's name.
use std::collections::HashMap;

enum Store {
    Vec,
    HashMap,
}

fn name(store: &Store) -> &'static str {
    match store {
        Store::Vec => "vector",
        Store::HashMap => "map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let names = HashMap::from([(1, Store::HashMap), (2, Store::Vec)]);
        assert_eq!(name(&names[&1]), "map");
        assert_eq!(name(&names[&2]), "vector");
    }
}
