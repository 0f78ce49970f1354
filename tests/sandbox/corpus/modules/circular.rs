// A module that is the file itself.
#[path = "main.rs"]
mod again;

fn one() -> u8 {
    1
}

#[test]
fn is_one() {
    assert_eq!(again::one(), one());
}
