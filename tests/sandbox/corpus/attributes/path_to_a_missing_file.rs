// A module at a path where nothing is, and one at the program itself.
#[path = "elsewhere.rs"]
mod elsewhere;

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
