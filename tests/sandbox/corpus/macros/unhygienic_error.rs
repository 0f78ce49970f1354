// A macro relies on a local of its caller.
macro_rules! scaled {
    ($x:expr) => {
        $x * factor
    };
}

fn scale(x: f64) -> f64 {
    let factor = 2.0;
    scaled!(x)
}

#[cfg(test)]
mod tests {
    #[test]
    fn scales() {
        assert_eq!(super::scale(1.5), 3.0);
    }
}
