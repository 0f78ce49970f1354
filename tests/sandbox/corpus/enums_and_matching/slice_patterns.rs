// Slice patterns, guards, bindings and nested options.
fn describe(xs: &[i32]) -> String {
    match xs {
        [] => "empty".into(),
        [x] => format!("just {x}"),
        [first, .., last] if first == last => format!("both ends {first}"),
        [first, middle @ .., _] => format!("{first} and {} more", middle.len() + 1),
    }
}

fn unwrap_twice(x: Option<Option<u8>>) -> u8 {
    let Some(Some(n)) = x else { return 0 };
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn describes() {
        assert_eq!(describe(&[]), "empty");
        assert_eq!(describe(&[4]), "just 4");
        assert_eq!(describe(&[4, 1, 4]), "both ends 4");
        assert_eq!(describe(&[4, 1, 2]), "4 and 2 more");
    }

    #[test]
    fn options() {
        assert_eq!(unwrap_twice(Some(Some(3))), 3);
        assert_eq!(unwrap_twice(Some(None)), 0);
    }
}
