// Blocks and conditions that are nested deeply.
fn f(x: u64) -> u64 {
    if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { if x > 0 { 1 } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 } } else { 0 }
}

#[cfg(test)]
mod tests {
    #[test]
    fn one() {
        assert_eq!(super::f(3), 1);
    }
}
