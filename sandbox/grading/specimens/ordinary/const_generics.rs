// A matrix whose dimensions are const parameters.
#[derive(Debug, PartialEq, Clone, Copy)]
struct Matrix<const R: usize, const C: usize>([[i32; C]; R]);

impl<const R: usize, const C: usize> Matrix<R, C> {
    fn transpose(&self) -> Matrix<C, R> {
        let mut out = [[0; R]; C];
        for (r, row) in self.0.iter().enumerate() {
            for (c, value) in row.iter().enumerate() {
                out[c][r] = *value;
            }
        }
        Matrix(out)
    }

    fn times<const K: usize>(&self, other: &Matrix<C, K>) -> Matrix<R, K> {
        let mut out = [[0; K]; R];
        for r in 0..R {
            for k in 0..K {
                out[r][k] = (0..C).map(|c| self.0[r][c] * other.0[c][k]).sum();
            }
        }
        Matrix(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposes() {
        assert_eq!(Matrix([[1, 2, 3]]).transpose(), Matrix([[1], [2], [3]]));
    }

    #[test]
    fn multiplies() {
        let a = Matrix([[1, 2], [3, 4]]);
        assert_eq!(a.times(&Matrix([[0, 1], [1, 0]])), Matrix([[2, 1], [4, 3]]));
    }
}
