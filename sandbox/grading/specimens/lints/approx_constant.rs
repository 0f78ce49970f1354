// A number that looks like pi.
fn area(r: f64) -> f64 {
    3.14159 * r * r
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert!((super::area(1.0) - 3.14159).abs() < 1e-9);
    }
}
