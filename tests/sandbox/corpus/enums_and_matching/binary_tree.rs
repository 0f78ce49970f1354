// An Option of Box as a tree.
#[derive(Debug, Default)]
struct Tree {
    root: Option<Box<Node>>,
}

#[derive(Debug)]
struct Node {
    key: i32,
    left: Tree,
    right: Tree,
}

impl Tree {
    /// Inserts a key; `false` if it was there.
    fn insert(&mut self, key: i32) -> bool {
        match &mut self.root {
            None => {
                self.root = Some(Box::new(Node { key, left: Tree::default(), right: Tree::default() }));
                true
            }
            Some(node) if key < node.key => node.left.insert(key),
            Some(node) if key > node.key => node.right.insert(key),
            Some(_) => false,
        }
    }

    fn keys(&self) -> Vec<i32> {
        match &self.root {
            None => Vec::new(),
            Some(node) => {
                let mut keys = node.left.keys();
                keys.push(node.key);
                keys.extend(node.right.keys());
                keys
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted() {
        let mut tree = Tree::default();
        let fresh: Vec<bool> = [5, 2, 8, 2].iter().map(|&k| tree.insert(k)).collect();
        assert_eq!(fresh, [true, true, true, false]);
        assert_eq!(tree.keys(), [2, 5, 8]);
    }
}
