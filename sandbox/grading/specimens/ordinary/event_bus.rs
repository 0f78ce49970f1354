// Subscribers that share state through Rc and RefCell.
use std::cell::RefCell;
use std::rc::Rc;

#[derive(Default)]
struct Bus<'a> {
    handlers: Vec<Box<dyn FnMut(&str) + 'a>>,
}

impl<'a> Bus<'a> {
    fn subscribe(&mut self, handler: impl FnMut(&str) + 'a) {
        self.handlers.push(Box::new(handler));
    }

    fn publish(&mut self, event: &str) {
        self.handlers.iter_mut().for_each(|h| h(event));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_hear() {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let mut count = 0;
        {
            let mut bus = Bus::default();
            let sink = Rc::clone(&seen);
            bus.subscribe(move |e| sink.borrow_mut().push(e.to_uppercase()));
            bus.subscribe(|_| count += 1);
            bus.publish("start");
            bus.publish("stop");
        }
        assert_eq!(*seen.borrow(), ["START", "STOP"]);
        assert_eq!(count, 2);
    }
}
