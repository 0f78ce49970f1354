// A table that is computed at compile time.
const fn squares<const N: usize>() -> [u32; N] {
    let mut table = [0; N];
    let mut i = 0;
    while i < N {
        table[i] = (i * i) as u32;
        i += 1;
    }
    table
}

static SQUARES: [u32; 16] = squares();

fn square(n: usize) -> Option<u32> {
    SQUARES.get(n).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside() {
        assert_eq!(square(5), Some(25));
        assert_eq!(square(15), Some(225));
    }

    #[test]
    fn outside() {
        assert_eq!(square(16), None);
    }
}
