// The longer of two string slices.
/// Returns the longer string; the first one when they are equally long.
fn longest<'a>(x: &'a str, y: &'a str) -> &'a str {
    if y.len() > x.len() {
        y
    } else {
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_second() {
        let owned = String::from("longer");
        assert_eq!(longest("short", owned.as_str()), "longer");
    }

    #[test]
    fn a_tie_goes_to_the_first() {
        assert_eq!(longest("abc", "xyz"), "abc");
    }
}
