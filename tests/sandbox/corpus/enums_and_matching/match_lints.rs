// Matches that a shorter expression would replace: lints, no errors.
enum Answer {
    Yes,
    No,
}

fn print_if_some(x: Option<i32>) -> i32 {
    let mut seen = 0;
    match x {
        Some(n) => seen = n,
        _ => {}
    }
    seen
}

fn to_int(b: bool) -> i32 {
    match b {
        true => 1,
        false => 0,
    }
}

fn is_yes(a: &Answer) -> bool {
    match a {
        Answer::Yes => true,
        Answer::No => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works() {
        assert_eq!(print_if_some(Some(2)), 2);
        assert_eq!(print_if_some(None), 0);
        assert_eq!(to_int(true) + to_int(false), 1);
        assert!(is_yes(&Answer::Yes) && !is_yes(&Answer::No));
    }
}
