// A comparison with the least value, in a function that only a generic reaches.
fn is_valid<T: Into<u32>>(x: T) -> bool {
    let x: u32 = x.into();
    x < 0 || x > u32::MAX
}

#[cfg(test)]
mod tests {
    #[test]
    fn never() {
        assert!(!super::is_valid(3u8));
    }
}
