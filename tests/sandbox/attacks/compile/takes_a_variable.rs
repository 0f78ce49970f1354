// Takes a variable of the caller's environment into the program. The compiler's environment is its own with and
// without isolation, so the control takes a variable of that.
// protected: build_error (not defined at compile time)
// control: passed
// number: ATTACK_SECRET, control CARGO_PKG_NAME

const SECRET: &str = env!("NUMBER");

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
