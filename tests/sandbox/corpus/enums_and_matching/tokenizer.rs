// A tokenizer and a calculator with precedence.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    Num(i64),
    Op(char),
}

fn tokens(s: &str) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut chars = s.chars().filter(|c| !c.is_whitespace()).peekable();
    while let Some(&c) = chars.peek() {
        if c.is_ascii_digit() {
            let mut n = 0;
            while let Some(d) = chars.peek().and_then(|c| c.to_digit(10)) {
                n = n * 10 + i64::from(d);
                chars.next();
            }
            out.push(Token::Num(n));
        } else if "+-*".contains(c) {
            out.push(Token::Op(c));
            chars.next();
        } else {
            return None;
        }
    }
    Some(out)
}

fn eval(s: &str) -> Option<i64> {
    let tokens = tokens(s)?;
    let (Token::Num(mut product), rest) = tokens.split_first().map(|(f, r)| (*f, r))? else { return None };
    let (mut sum, mut sign) = (0, 1);
    for pair in rest.chunks(2) {
        match pair {
            [Token::Op('*'), Token::Num(n)] => product *= n,
            [Token::Op(op), Token::Num(n)] => {
                sum += sign * product;
                sign = if *op == '-' { -1 } else { 1 };
                product = *n;
            }
            _ => return None,
        }
    }
    Some(sum + sign * product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence() {
        assert_eq!(eval("1 + 2*3 - 4"), Some(3));
        assert_eq!(eval("12"), Some(12));
    }

    #[test]
    fn nonsense() {
        assert_eq!(eval("1 +"), None);
        assert_eq!(eval("x"), None);
        assert_eq!(eval(""), None);
    }
}
