// Uses a value after moving it.
#[derive(Debug)]
struct Ticket {
    id: u32,
}

fn archive(tickets: &mut Vec<Ticket>, ticket: Ticket) -> u32 {
    tickets.push(ticket);
    ticket.id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives() {
        assert_eq!(archive(&mut vec![], Ticket { id: 7 }), 7);
    }
}
