// partition, unzip, flat_map, chunks and min_by.
fn split_signs(xs: &[i32]) -> (Vec<i32>, Vec<i32>) {
    xs.iter().partition(|&&x| x < 0)
}

fn flatten(groups: &[Vec<u8>]) -> Vec<u8> {
    groups.iter().flat_map(|g| g.iter().copied()).collect()
}

fn nearest(xs: &[f64], to: f64) -> Option<f64> {
    xs.iter().copied().min_by(|a, b| (a - to).abs().total_cmp(&(b - to).abs()))
}

fn chunk_sums(xs: &[u32], n: usize) -> Vec<u32> {
    xs.chunks(n).map(|c| c.iter().sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions() {
        assert_eq!(split_signs(&[1, -2, 3]), (vec![-2], vec![1, 3]));
    }

    #[test]
    fn flattens() {
        assert_eq!(flatten(&[vec![1], vec![], vec![2, 3]]), [1, 2, 3]);
    }

    #[test]
    fn nearest_one() {
        assert_eq!(nearest(&[1.0, 4.0, 9.0], 5.0), Some(4.0));
        assert_eq!(nearest(&[], 5.0), None);
    }

    #[test]
    fn sums_of_chunks() {
        assert_eq!(chunk_sums(&[1, 2, 3, 4, 5], 2), [3, 7, 5]);
    }
}
