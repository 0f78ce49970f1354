// A macro that is right; the tests call it wrongly.
macro_rules! between {
    ($x:expr, $low:literal .. $high:literal) => {
        ($low..$high).contains(&$x)
    };
}

fn is_teen(age: u32) -> bool {
    between!(age, 13 .. 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teen() {
        assert!(is_teen(15));
    }

    #[test]
    fn direct() {
        let low = 3;
        assert!(between!(4, low .. 5));
    }
}
