// A small least-recently-used cache.
use std::collections::{HashMap, VecDeque};

struct LruCache {
    capacity: usize,
    values: HashMap<u32, String>,
    order: VecDeque<u32>,
}

impl LruCache {
    fn new(capacity: usize) -> Self {
        LruCache { capacity, values: HashMap::new(), order: VecDeque::new() }
    }

    fn touch(&mut self, key: u32) {
        self.order.retain(|&k| k != key);
        self.order.push_back(key);
    }

    fn get(&mut self, key: u32) -> Option<&String> {
        if self.values.contains_key(&key) {
            self.touch(key);
        }
        self.values.get(&key)
    }

    fn put(&mut self, key: u32, value: &str) {
        if self.values.len() == self.capacity && !self.values.contains_key(&key) {
            if let Some(oldest) = self.order.pop_front() {
                self.values.remove(&oldest);
            }
        }
        self.values.insert(key, value.to_string());
        self.touch(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evicts_the_oldest() {
        let mut cache = LruCache::new(2);
        cache.put(1, "a");
        cache.put(2, "b");
        assert!(cache.get(1).is_some());
        cache.put(3, "c");
        assert!(cache.get(2).is_none());
        assert_eq!(cache.get(1).map(String::as_str), Some("a"));
    }
}
