// A module that is the program again, for ever.
#[path = "main.rs"]
mod again;

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
