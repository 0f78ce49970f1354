// Const generics with inference of the length, and a trait constant with a default.
trait Shape {
    const SIDES: usize;
    const IS_SIMPLE: bool = Self::SIDES < 5;
}

struct Square;
struct Hexagon;

impl Shape for Square {
    const SIDES: usize = 4;
}

impl Shape for Hexagon {
    const SIDES: usize = 6;
}

fn sides<S: Shape, const N: usize>(lengths: [u32; N]) -> Result<u32, String> {
    if N == S::SIDES {
        Ok(lengths.iter().sum())
    } else {
        Err(format!("{N} lengths for {} sides", S::SIDES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        assert_eq!(sides::<Square, 4>([1, 2, 3, 4]), Ok(10));
        assert_eq!(sides::<Hexagon, 2>([1, 2]).unwrap_err(), "2 lengths for 6 sides");
    }

    #[test]
    fn simple() {
        assert!(Square::IS_SIMPLE);
        assert!(!Hexagon::IS_SIMPLE);
    }
}
