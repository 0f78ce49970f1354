// Many small lints in working code.
pub fn mean(values: &Vec<f64>) -> f64 {
    if values.len() == 0 {
        return 0.0;
    }
    let mut sum = 0.0;
    for i in 0..values.len() {
        sum = sum + values[i];
    }
    return sum / values.len() as f64;
}

pub fn contains(values: &Vec<i32>, x: i32) -> bool {
    if values.iter().find(|&&v| v == x).is_some() {
        true
    } else {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works() {
        assert_eq!(mean(&vec![1.0, 2.0]), 1.5);
        assert_eq!(mean(&vec![]), 0.0);
        assert!(contains(&vec![1, 2], 2) == true);
    }
}
