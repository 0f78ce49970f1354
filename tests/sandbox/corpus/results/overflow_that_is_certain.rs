// An overflow that the compiler sees, in a function.
fn next_power() -> i32 {
    i32::MAX + 1
}

fn twice(x: i32) -> i32 {
    x.wrapping_mul(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles() {
        assert_eq!(twice(2), 4);
    }
}
