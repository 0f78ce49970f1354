// A literal that does not fit, in a test.
fn double(x: u8) -> u16 {
    u16::from(x) * 2
}

#[cfg(test)]
mod tests {
    #[test]
    fn doubles() {
        assert_eq!(super::double(300), 600);
    }
}
