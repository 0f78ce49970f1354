// An expectation that is fulfilled.
#[expect(unused_variables, reason = "kept for later")]
fn area(width: u32, height: u32, depth: u32) -> u32 {
    width * height
}

#[cfg(test)]
mod tests {
    #[test]
    fn areas() {
        assert_eq!(super::area(2, 3, 4), 6);
    }
}
