// An item that exists only outside the tests, and one only inside.
#[cfg(not(test))]
fn limit() -> u32 {
    1000
}

#[cfg(test)]
fn limit() -> u32 {
    3
}

fn is_over(x: u32) -> bool {
    x > limit()
}

#[cfg(test)]
mod tests {
    #[test]
    fn over() {
        assert!(super::is_over(4));
    }
}
