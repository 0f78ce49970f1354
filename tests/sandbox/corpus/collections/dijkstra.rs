// Shortest paths with a BinaryHeap and Reverse.
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

type Graph = HashMap<u32, Vec<(u32, u64)>>;

/// The length of the shortest path, `None` when there is none.
fn shortest(graph: &Graph, from: u32, to: u32) -> Option<u64> {
    let mut best: HashMap<u32, u64> = HashMap::from([(from, 0)]);
    let mut heap = BinaryHeap::from([Reverse((0, from))]);
    while let Some(Reverse((cost, node))) = heap.pop() {
        if node == to {
            return Some(cost);
        }
        if cost > best[&node] {
            continue;
        }
        for &(next, weight) in graph.get(&node).into_iter().flatten() {
            let total = cost + weight;
            if best.get(&next).map_or(true, |&known| total < known) {
                best.insert(next, total);
                heap.push(Reverse((total, next)));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        HashMap::from([(1, vec![(2, 7), (3, 1)]), (3, vec![(2, 2)]), (2, vec![(4, 1)])])
    }

    #[test]
    fn takes_the_detour() {
        assert_eq!(shortest(&graph(), 1, 4), Some(4));
    }

    #[test]
    fn no_way_back() {
        assert_eq!(shortest(&graph(), 4, 1), None);
    }
}
