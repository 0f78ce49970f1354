// A helper that exists only in tests is needed outside them.
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
