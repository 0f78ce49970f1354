// A local impl of From<T> for a foreign type, which makes `into` ambiguous elsewhere.
struct Metres(f64);

impl From<Metres> for f64 {
    fn from(m: Metres) -> f64 {
        m.0
    }
}

fn half(x: f64) -> f64 {
    x * 0.5
}

fn sum(a: f32, b: f64) -> f64 {
    b + a.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        assert_eq!(half(Metres(3.0).into()), 1.5);
        assert_eq!(sum(1.0, 2.0), 3.0);
    }
}
