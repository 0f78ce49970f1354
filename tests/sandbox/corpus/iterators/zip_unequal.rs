// zip stops with the shorter one; fold and scan.
fn dot(a: &[i32], b: &[i32]) -> i32 {
    a.iter().zip(b).fold(0, |sum, (x, y)| sum + x * y)
}

fn running_max(xs: &[i32]) -> Vec<i32> {
    xs.iter()
        .scan(i32::MIN, |max, &x| {
            *max = (*max).max(x);
            Some(*max)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots() {
        assert_eq!(dot(&[1, 2, 3], &[4, 5]), 14);
    }

    #[test]
    fn maxima() {
        assert_eq!(running_max(&[3, 1, 4, 1, 5]), [3, 3, 4, 4, 5]);
    }
}
