// Next line, line separator and left-to-right marks, which are white space for rustc.
fn f() -> u8 { ‎    3
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::f(), 3);
    }
}
