// Derived and hand-written orderings, and sort keys.
use std::cmp::Ordering;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Suit {
    Clubs,
    Spades,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Card {
    suit: Suit,
    rank: u8,
}

impl Ord for Card {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank).reverse().then_with(|| self.suit.cmp(&other.suit))
    }
}

impl PartialOrd for Card {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_cards_first() {
        let card = |suit, rank| Card { suit, rank };
        let mut hand = vec![card(Suit::Spades, 3), card(Suit::Clubs, 9), card(Suit::Clubs, 3)];
        hand.sort();
        assert_eq!(hand.iter().map(|c| c.rank).collect::<Vec<_>>(), [9, 3, 3]);
        assert_eq!(hand[1].suit, Suit::Clubs);
    }
}
