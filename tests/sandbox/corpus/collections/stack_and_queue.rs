// A queue made of two stacks.
#[derive(Debug, Default)]
struct Queue<T> {
    inbox: Vec<T>,
    outbox: Vec<T>,
}

impl<T> Queue<T> {
    fn push(&mut self, value: T) {
        self.inbox.push(value);
    }

    fn pop(&mut self) -> Option<T> {
        if self.outbox.is_empty() {
            self.outbox.extend(self.inbox.drain(..).rev());
        }
        self.outbox.pop()
    }

    fn len(&self) -> usize {
        self.inbox.len() + self.outbox.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_in_first_out() {
        let mut q = Queue::default();
        q.push(1);
        q.push(2);
        assert_eq!(q.pop(), Some(1));
        q.push(3);
        assert_eq!(q.len(), 2);
        assert_eq!([q.pop(), q.pop(), q.pop()], [Some(2), Some(3), None]);
    }
}
