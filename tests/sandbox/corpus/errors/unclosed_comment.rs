// A nested comment that is closed once.
fn one() -> u8 {
    /* outer /* inner */
    1
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_one() {
        assert_eq!(super::one(), 1);
    }
}
