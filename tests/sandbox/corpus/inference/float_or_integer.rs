// Sums and products whose type comes from far away, and a float literal where an integer is due.
fn average(xs: &[f32]) -> f32 {
    let n = xs.len();
    xs.iter().sum::<f32>() / n
}

#[cfg(test)]
mod tests {
    #[test]
    fn two() {
        assert_eq!(super::average(&[1.0, 2.0]), 1.5);
    }
}
