// Twelve warnings of several kinds in a program that passes.
pub struct stack {
    Items: Vec<i32>,
}

impl stack {
    pub fn new() -> stack {
        return stack { Items: Vec::new() };
    }

    pub fn len(&self) -> usize {
        self.Items.len()
    }

    pub fn to_vec(self) -> Vec<i32> {
        self.Items
    }

    pub fn Push(&mut self, x: i32) -> () {
        let y = x.clone();
        self.Items.push((y));
        if self.Items.len() == 0 {
            unreachable!();
        };
    }
}

fn has(s: &stack, X: i32) -> bool {
    match s.Items.iter().find(|i| **i == X) {
        Some(_) => true,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushes() {
        let mut s = stack::new();
        s.Push(3);
        assert!(has(&s, 3));
        assert_eq!(s.len(), 1);
        assert_eq!(s.to_vec(), [3]);
    }
}
