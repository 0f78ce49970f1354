// The example that every course has: deposits, withdrawals and errors.
#[derive(Debug, PartialEq)]
pub enum TransactionError {
    InsufficientFunds { needed: u64, available: u64 },
    AccountFrozen,
}

#[derive(Debug, Default)]
pub struct Account {
    balance: u64,
    frozen: bool,
}

impl Account {
    pub fn new(balance: u64) -> Self {
        Self { balance, ..Default::default() }
    }

    pub fn withdraw(&mut self, amount: u64) -> Result<u64, TransactionError> {
        if self.frozen {
            return Err(TransactionError::AccountFrozen);
        }
        self.balance = self.balance.checked_sub(amount).ok_or(TransactionError::InsufficientFunds {
            needed: amount,
            available: self.balance,
        })?;
        Ok(self.balance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_withdraw() {
        let mut account = Account::new(100);
        assert_eq!(account.withdraw(30), Ok(70));
        assert_eq!(account.balance, 70);
    }

    #[test]
    fn test_insufficient_funds() {
        let expected = TransactionError::InsufficientFunds { needed: 30, available: 20 };
        assert_eq!(Account::new(20).withdraw(30), Err(expected));
    }

    #[test]
    fn test_frozen() {
        let mut account = Account { balance: 1, frozen: true };
        assert_eq!(account.withdraw(1), Err(TransactionError::AccountFrozen));
    }
}
