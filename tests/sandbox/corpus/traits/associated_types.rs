// An associated type and a where clause on it.
trait Container {
    type Item;
    fn get(&self, i: usize) -> Option<&Self::Item>;
    fn first(&self) -> Option<&Self::Item> {
        self.get(0)
    }
    fn size(&self) -> usize;
}

struct Stack<T> {
    items: Vec<T>,
}

impl<T> Container for Stack<T> {
    type Item = T;
    fn get(&self, i: usize) -> Option<&T> {
        self.items.get(i)
    }
    fn size(&self) -> usize {
        self.items.len()
    }
}

fn sum_all<C>(container: &C) -> i64
where
    C: Container,
    C::Item: Copy + Into<i64>,
{
    (0..container.size()).filter_map(|i| container.get(i)).map(|&x| x.into()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_small_integers() {
        assert_eq!(sum_all(&Stack { items: vec![1i32, 2, 3] }), 6);
        assert_eq!(sum_all(&Stack { items: vec![200u8, 200] }), 400);
    }

    #[test]
    fn first_of_empty() {
        assert!(Stack::<u8> { items: vec![] }.first().is_none());
    }
}
