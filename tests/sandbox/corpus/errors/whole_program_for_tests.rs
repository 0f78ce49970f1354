// The whole program is for tests, by an attribute of the crate: a build finds no main.
#![cfg(test)]

fn double(x: i32) -> i32 {
    x * 2
}

#[test]
fn doubles() {
    assert_eq!(double(2), 4);
}
