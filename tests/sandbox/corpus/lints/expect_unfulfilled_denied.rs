// An unfulfilled expectation that is an error.
#![deny(unfulfilled_lint_expectations)]

#[expect(unused_mut)]
fn area(width: u32, height: u32) -> u32 {
    width * height
}

#[cfg(test)]
mod tests {
    #[test]
    fn areas() {
        assert_eq!(super::area(2, 3), 6);
    }
}
