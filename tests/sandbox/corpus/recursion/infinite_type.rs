// Types of infinite size, in several shapes.
struct List {
    value: u8,
    next: Option<List>,
}

enum Tree {
    Leaf,
    Node(Pair),
}

struct Pair(Tree, Tree);

#[cfg(test)]
mod tests {
    #[test]
    fn leaf() {
        assert!(matches!(super::Tree::Leaf, super::Tree::Leaf));
    }
}
