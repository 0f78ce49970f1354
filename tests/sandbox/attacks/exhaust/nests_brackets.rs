// Nests brackets deeper than a parser has stack.
// protected: build_error
// control: passed
// number: 100000, control 30

fn nested() -> u8 {
    OPEN 1 CLOSE
}

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
