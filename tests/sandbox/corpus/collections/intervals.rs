// Merges intervals after sorting.
type Interval = (i32, i32);

fn merge(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort();
    let mut merged: Vec<Interval> = Vec::with_capacity(intervals.len());
    for (start, end) in intervals {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping() {
        assert_eq!(merge(vec![(8, 10), (1, 3), (2, 6)]), [(1, 6), (8, 10)]);
    }

    #[test]
    fn touching() {
        assert_eq!(merge(vec![(1, 4), (4, 5)]), [(1, 5)]);
    }

    #[test]
    fn nothing() {
        assert_eq!(merge(vec![]), []);
    }
}
