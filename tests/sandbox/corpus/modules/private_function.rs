// The tests call a function that is private to a module.
mod bank {
    pub struct Account {
        balance: i64,
    }

    impl Account {
        pub fn open() -> Self {
            Account { balance: 0 }
        }

        fn deposit(&mut self, amount: i64) {
            self.balance += amount;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bank::Account;

    #[test]
    fn deposits() {
        let mut account = Account::open();
        account.deposit(5);
        assert_eq!(account.balance, 5);
    }
}
