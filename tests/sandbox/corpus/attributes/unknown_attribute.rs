// An attribute that does not exist, and a derive that does not exist.
#[fast]
fn f() -> u8 {
    1
}

#[derive(Serialize)]
struct Point(u8);

#[cfg(test)]
mod tests {
    #[test]
    fn one() {
        assert_eq!(super::f(), 1);
    }
}
