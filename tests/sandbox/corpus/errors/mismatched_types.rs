// Returns a number where a string is promised, and a unit where a number is.
fn describe(n: i32) -> String {
    if n > 0 {
        "positive"
    } else {
        n
    }
}

fn double(n: i32) -> i32 {
    n * 2;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positive() {
        assert_eq!(describe(1), "positive");
        assert_eq!(double(2), 4);
    }
}
