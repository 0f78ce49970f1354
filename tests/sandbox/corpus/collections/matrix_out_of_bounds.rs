// A transposition that forgets that a matrix need not be square.
fn transpose(m: &Vec<Vec<i32>>) -> Vec<Vec<i32>> {
    let n = m.len();
    let mut out = vec![vec![0; n]; n];
    for i in 0..n {
        for j in 0..n {
            out[j][i] = m[i][j];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn square() {
        assert_eq!(transpose(&vec![vec![1, 2], vec![3, 4]]), vec![vec![1, 3], vec![2, 4]]);
    }

    #[test]
    fn tall() {
        assert_eq!(transpose(&vec![vec![1], vec![2]]), vec![vec![1, 2]]);
    }
}
