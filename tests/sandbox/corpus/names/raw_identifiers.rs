// Raw identifiers, of functions, fields, modules and a test.
struct Node {
    r#type: u8,
    r#match: Option<Box<Node>>,
}

mod r#mod {
    pub fn r#fn(r#in: u8) -> u8 {
        r#in + 1
    }
}

fn r#loop(node: &Node) -> u8 {
    r#mod::r#fn(node.r#type) + node.r#match.as_deref().map_or(0, r#loop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r#while() {
        let inner = Node { r#type: 1, r#match: None };
        assert_eq!(r#loop(&Node { r#type: 2, r#match: Some(inner.into()) }), 5);
    }
}
