// A conversion that has one candidate in a program, and more where a test harness is linked.
fn code(text: &str) -> u32 {
    let bytes = text.as_bytes();
    bytes.iter().map(|b| u32::from(*b)).sum::<u32>() + u32::from(bytes.len() == "abc".len().into())
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes() {
        assert_eq!(super::code("abc"), 295);
    }
}
