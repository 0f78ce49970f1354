// A main that exists only in the tests.
fn f() -> u8 {
    3
}

#[cfg(test)]
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
