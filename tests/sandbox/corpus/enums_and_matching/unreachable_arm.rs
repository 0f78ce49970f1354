// An arm that can never match, and a name that is a binding and not a constant.
const LIMIT: u32 = 10;

fn size(n: u32) -> &'static str {
    match n {
        0 => "none",
        1..=9 => "few",
        limit => "many",
        LIMIT => "limit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size(0), "none");
        assert_eq!(size(5), "few");
        assert_eq!(size(10), "many");
    }
}
