// Levels on statements, expressions, arms and fields.
fn f(x: Option<u32>) -> u32 {
    #[allow(unused_variables)]
    let y = 3;
    #[warn(unused_mut)]
    let mut z = 4;
    #[deny(unused_parens)]
    let w = match x {
        #[allow(unused_variables)]
        Some(unused) => 1,
        None => z,
    };
    w
}

#[cfg(test)]
mod tests {
    #[test]
    fn f() {
        assert_eq!(super::f(None), 4);
    }
}
