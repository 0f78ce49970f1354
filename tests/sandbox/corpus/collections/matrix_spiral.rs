// A spiral walk through a matrix with VecDeque.
use std::collections::VecDeque;

fn spiral(matrix: Vec<Vec<i32>>) -> Vec<i32> {
    let mut rows: VecDeque<VecDeque<i32>> = matrix.into_iter().map(VecDeque::from).collect();
    let mut out = vec![];
    while let Some(top) = rows.pop_front() {
        out.extend(top);
        for row in rows.iter_mut() {
            out.extend(row.pop_back());
        }
        if let Some(bottom) = rows.pop_back() {
            out.extend(bottom.into_iter().rev());
        }
        for row in rows.iter_mut().rev() {
            out.extend(row.pop_front());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_by_three() {
        let m = vec![vec![1, 2, 3], vec![4, 5, 6], vec![7, 8, 9]];
        assert_eq!(spiral(m), [1, 2, 3, 6, 9, 8, 7, 4, 5]);
    }

    #[test]
    fn one_column() {
        assert_eq!(spiral(vec![vec![1], vec![2]]), [1, 2]);
        assert!(spiral(vec![]).is_empty());
    }
}
