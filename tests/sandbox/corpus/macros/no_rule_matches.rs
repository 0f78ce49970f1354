// A macro called with tokens that no rule expects.
macro_rules! hashmap {
    ($($k:expr => $v:expr),*) => {{
        let mut map = ::std::collections::HashMap::new();
        $(map.insert($k, $v);)*
        map
    }};
}

fn ages() -> std::collections::HashMap<&'static str, u8> {
    hashmap! { "Ann" => 30, "Bob" : 40 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ann() {
        assert_eq!(ages()["Ann"], 30);
    }
}
