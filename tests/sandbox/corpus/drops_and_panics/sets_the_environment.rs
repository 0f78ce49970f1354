// A test that sets a variable for those after it: unsafe only in later editions.
fn verbose() -> bool {
    std::env::var_os("VERBOSE").is_some()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_sets() {
        std::env::set_var("VERBOSE", "1");
        assert!(super::verbose());
    }

    #[test]
    fn b_sees() {
        assert!(super::verbose());
    }
}
