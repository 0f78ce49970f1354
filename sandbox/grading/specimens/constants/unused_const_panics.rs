// A const that nobody uses and that panics.
const LIMIT: u32 = 3;
const CHECK: () = assert!(LIMIT > 3, "the limit is too low");

fn limit() -> u32 {
    LIMIT
}

#[cfg(test)]
mod tests {
    #[test]
    fn limit() {
        assert_eq!(super::limit(), 3);
    }
}
