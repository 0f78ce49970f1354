// Syntax that a stable compiler does not have.
fn head(xs: Box<[i32; 2]>) -> i32 {
    let box [a, _] = xs;
    a
}

fn never(x: Result<u8, !>) -> u8 {
    match x {
        Ok(n) => n,
    }
}

#[test]
fn heads() {
    assert_eq!(head(Box::new([1, 2])), 1);
}
