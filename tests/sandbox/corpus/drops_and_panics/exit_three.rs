// A test that ends the process with a code.
fn leave(code: i32) {
    std::process::exit(code);
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_passes() {
        assert_eq!(1 + 1, 2);
    }

    #[test]
    fn b_leaves() {
        super::leave(3);
    }
}
