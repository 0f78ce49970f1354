// A module whose file does not exist.
mod parts;

fn double(x: i32) -> i32 {
    parts::times(x, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles() {
        assert_eq!(double(2), 4);
    }
}
