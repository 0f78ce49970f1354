// Prose after the code, as a model would write it.
fn f() -> u8 {
    3
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::f(), 3);
    }
}

This function returns three, and the test checks that it does.
