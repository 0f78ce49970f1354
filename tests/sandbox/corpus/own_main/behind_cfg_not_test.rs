// A main that exists only outside the tests.
fn f() -> u8 {
    3
}

#[cfg(not(test))]
fn main() {
    println!("{}", f());
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::f(), 3);
    }
}
