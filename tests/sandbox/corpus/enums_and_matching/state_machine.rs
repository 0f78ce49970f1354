// A state machine that consumes itself.
#[derive(Debug, PartialEq)]
enum State {
    Idle,
    Running { ticks: u32 },
    Done(u32),
}

enum Event {
    Start,
    Tick,
    Stop,
}

impl State {
    fn on(self, event: Event) -> State {
        match (self, event) {
            (State::Idle, Event::Start) => State::Running { ticks: 0 },
            (State::Running { ticks: 9 }, Event::Tick) => State::Done(10),
            (State::Running { ticks }, Event::Tick) => State::Running { ticks: ticks + 1 },
            (State::Running { ticks: n @ 1.. }, Event::Stop) => State::Done(n),
            (state, _) => state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_early() {
        let s = State::Idle.on(Event::Start).on(Event::Tick).on(Event::Stop);
        assert_eq!(s, State::Done(1));
    }

    #[test]
    fn ends_by_itself() {
        let s = (0..20).fold(State::Idle.on(Event::Start), |s, _| s.on(Event::Tick));
        assert_eq!(s, State::Done(10));
        assert_eq!(State::Idle.on(Event::Stop), State::Idle);
    }
}
