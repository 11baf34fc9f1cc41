//! The grammar of `when`, `unless` and `also`: text into an [`Expr`].

use std::ops::Range;

use crate::rules::expression::{Expr, Mistake, Nearness, Node, RESERVED, SetId};
use crate::rules::fields::{NAMES, field};

/// Parses an expression. `resolve` finds a set, or the words to say that there is none.
pub(crate) fn parse(
    text: &str,
    near: u32,
    resolve: &mut dyn FnMut(&str) -> Result<SetId, String>,
) -> Result<Expr, Vec<Mistake>> {
    let tokens = tokens(text).map_err(|mistake| vec![mistake])?;
    let mut parser = Parser { tokens, at: 0, end: text.len(), near, depth: 0, resolve, mistakes: Vec::new() };
    let expr = parser.expression().and_then(|expr| match parser.peek() {
        None => Ok(expr),
        Some(token) => {
            let span = token.span.clone();
            Err(parser.mistake(
                span,
                "the expression should end here",
                "join two conditions with `and` or `or`",
            ))
        }
    });
    match expr {
        Ok(expr) if parser.mistakes.is_empty() => match purely_negative(&expr) {
            None => Ok(expr),
            Some(span) => Err(vec![Mistake {
                span,
                what: "this holds for articles in which nothing was found".into(),
                hint: "write `not` only beside a condition it narrows: `a and not b`".into(),
            }]),
        },
        Ok(_) => Err(parser.mistakes),
        Err(mistake) => {
            parser.mistakes.push(mistake);
            Err(parser.mistakes)
        }
    }
}

/// Finds a `not` that narrows nothing.
fn purely_negative(expr: &Expr) -> Option<Range<usize>> {
    let inside = |parts: &[Expr]| parts.iter().find_map(purely_negative);
    match &expr.node {
        Node::Set { .. } => None,
        Node::Score(_) | Node::Not(_) => (!expr.is_positive()).then(|| expr.span.clone()),
        Node::Or(parts) | Node::Of(_, parts) => inside(parts),
        Node::Pair(_, left, right) => purely_negative(left).or_else(|| purely_negative(right)),
        Node::And(parts) if !expr.is_positive() => inside(parts).or_else(|| Some(expr.span.clone())),
        Node::And(parts) => parts.iter().find_map(|part| match &part.node {
            Node::Not(inner) => purely_negative(inner),
            Node::Score(_) => None,
            _ => purely_negative(part),
        }),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Word(String),
    Number(u64),
    Sign(&'static str),
}

#[derive(Debug, Clone)]
struct Token {
    kind: Kind,
    span: Range<usize>,
}

fn tokens(text: &str) -> Result<Vec<Token>, Mistake> {
    let mut tokens = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let mut take_while = |is: fn(char) -> bool| {
            let mut end = start + c.len_utf8();
            while let Some((at, c)) = chars.next_if(|(_, c)| is(*c)) {
                end = at + c.len_utf8();
            }
            start..end
        };
        let (kind, span) = match c {
            _ if c.is_whitespace() => continue,
            '0'..='9' | '-' => {
                let span = take_while(|c| c.is_ascii_digit() || c == '_');
                let digits = text.get(span.clone()).unwrap_or_default().replace('_', "");
                match digits.parse() {
                    Ok(number) => (Kind::Number(number), span),
                    Err(_) => {
                        return Err(Mistake {
                            span,
                            what: format!("`{digits}` is not a number this can use"),
                            hint: "write a whole number from 0 up".into(),
                        });
                    }
                }
            }
            _ if c.is_alphabetic() || c == '_' => {
                let span = take_while(|c| c.is_alphanumeric() || c == '_' || c == '-');
                (Kind::Word(text.get(span.clone()).unwrap_or_default().to_owned()), span)
            }
            '>' => {
                let span = take_while(|c| c == '=');
                (Kind::Sign(if span.len() == 2 { ">=" } else { ">" }), span)
            }
            _ => match ["(", ")", ",", ":", "#", "/"].into_iter().find(|sign| sign.starts_with(c)) {
                Some(sign) => (Kind::Sign(sign), start..start + 1),
                None => {
                    return Err(Mistake {
                        span: start..start + c.len_utf8(),
                        what: format!("`{c}` means nothing here"),
                        hint: "an expression is made of set names, `and`, `or`, `not`, `near/8` and brackets"
                            .into(),
                    });
                }
            },
        };
        tokens.push(Token { kind, span });
    }
    Ok(tokens)
}

/// Nesting beyond this is a mistake, not a rule.
const DEEPEST: usize = 64;

struct Parser<'p> {
    tokens: Vec<Token>,
    at: usize,
    end: usize,
    near: u32,
    depth: usize,
    resolve: &'p mut dyn FnMut(&str) -> Result<SetId, String>,
    mistakes: Vec<Mistake>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned()
    }

    fn mistake(&self, span: Range<usize>, what: impl Into<String>, hint: impl Into<String>) -> Mistake {
        Mistake { span, what: what.into(), hint: hint.into() }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token { kind: Kind::Word(found), .. }) if found == word)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token { kind: Kind::Sign(found), .. }) if *found == sign);
        self.at += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: &str, hint: &str) -> Result<usize, Mistake> {
        let span = self.here();
        match self.take_sign(sign) {
            true => Ok(span.end),
            false => Err(self.mistake(span, format!("`{sign}` is missing here"), hint)),
        }
    }

    fn number(&mut self, hint: &str) -> Result<(u64, Range<usize>), Mistake> {
        let span = self.here();
        match self.next() {
            Some(Token { kind: Kind::Number(number), span }) => Ok((number, span)),
            _ => Err(self.mistake(span, "a number is missing here", hint)),
        }
    }

    /// Where the token just taken ends: behind the bracket, if a part stood in one.
    fn behind(&self) -> usize {
        self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |token| token.span.end)
    }

    fn here(&self) -> Range<usize> {
        self.peek().map_or(self.end.saturating_sub(1)..self.end, |token| token.span.clone())
    }

    fn expression(&mut self) -> Result<Expr, Mistake> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.mistake(self.here(), "brackets are nested too deeply", "split the rule"));
        }
        let start = self.here().start;
        let first = self.unary()?;
        let word = ["and", "or"].into_iter().find(|word| self.is_word(word));
        let Some(word) = word else {
            self.depth -= 1;
            return Ok(first);
        };
        let mut parts = vec![first];
        while self.is_word(word) {
            self.at += 1;
            parts.push(self.unary()?);
        }
        let other = if word == "and" { "or" } else { "and" };
        if self.is_word(other) {
            // Vendors disagree on which binds first, so nobody has to remember.
            return Err(self.mistake(
                self.here(),
                "`and` and `or` are mixed without brackets",
                "put brackets round what belongs together: `a and (b or c)`",
            ));
        }
        self.depth -= 1;
        Ok(Expr {
            span: start..self.behind(),
            node: if word == "and" { Node::And(parts) } else { Node::Or(parts) },
        })
    }

    fn unary(&mut self) -> Result<Expr, Mistake> {
        if !self.is_word("not") {
            return self.pairs();
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.mistake(self.here(), "`not` is nested too deeply", "split the rule"));
        }
        let start = self.here().start;
        self.at += 1;
        let inner = self.unary()?;
        self.depth -= 1;
        Ok(Expr { span: start..self.behind(), node: Node::Not(Box::new(inner)) })
    }

    fn pairs(&mut self) -> Result<Expr, Mistake> {
        let start = self.here().start;
        let mut left = self.atom()?;
        while let Some(word) = ["near", "then", "away", "same"].into_iter().find(|word| self.is_word(word)) {
            self.at += 1;
            let mut units = self.near.saturating_mul(2);
            if word != "same" && self.take_sign("/") {
                let (number, span) = self.number("write how many words apart: `near/8`")?;
                if number > 10_000 {
                    return Err(self.mistake(
                        span,
                        "the distance is too great",
                        "use `and`, or `same` for a sentence",
                    ));
                }
                units = number as u32 * 2;
            }
            let nearness = match word {
                "near" => Nearness::Near(units),
                "then" => Nearness::Then(units),
                "away" => Nearness::Away(units),
                _ => Nearness::Same,
            };
            let right = self.atom()?;
            for operand in [&left, &right] {
                if matches!(operand.node, Node::Score(_) | Node::Not(_)) || !operand.is_positive() {
                    let what = format!("`{word}` needs something that has a place in the text on both sides");
                    let mistake = self.mistake(operand.span.clone(), what, "join it with `and` instead");
                    self.mistakes.push(mistake);
                }
            }
            left = Expr {
                span: start..self.behind(),
                node: Node::Pair(nearness, Box::new(left), Box::new(right)),
            };
        }
        Ok(left)
    }

    fn atom(&mut self) -> Result<Expr, Mistake> {
        let span = self.here();
        let Some(token) = self.next() else {
            return Err(self.mistake(span, "something is missing at the end", "write a set's name"));
        };
        match token.kind {
            Kind::Sign("(") => {
                let inner = self.expression()?;
                self.expect_sign(")", "close the bracket")?;
                Ok(inner)
            }
            Kind::Number(least) => self.some_of(least, span),
            Kind::Word(word) if word == "score" => {
                self.expect_sign(">=", "write `score >= 12`")?;
                let (least, end) = self.number("write `score >= 12`")?;
                Ok(Expr {
                    node: Node::Score(i64::try_from(least).unwrap_or(i64::MAX)),
                    span: span.start..end.end,
                })
            }
            Kind::Word(word) if !RESERVED.contains(&word.as_str()) => self.set(word, span),
            Kind::Word(word) => Err(self.mistake(
                span,
                format!("a set's name is missing before `{word}`"),
                "write a condition on both sides",
            )),
            Kind::Sign(sign) => Err(self.mistake(
                span,
                format!("`{sign}` stands where a set's name should"),
                "write a set's name",
            )),
        }
    }

    fn some_of(&mut self, least: u64, span: Range<usize>) -> Result<Expr, Mistake> {
        if !self.is_word("of") {
            return Err(self.mistake(span, "a number stands alone", "write `2 of (a, b, c)`"));
        }
        self.at += 1;
        self.expect_sign("(", "write `2 of (a, b, c)`")?;
        let mut parts = vec![self.atom()?];
        while self.take_sign(",") {
            parts.push(self.atom()?);
        }
        let end = self.expect_sign(")", "close the list")?;
        if least == 0 || least as usize > parts.len() {
            let what = format!("{least} of {} sets cannot decide anything", parts.len());
            return Err(self.mistake(span, what, format!("ask for 1 to {} of them", parts.len())));
        }
        Ok(Expr { node: Node::Of(least as usize, parts), span: span.start..end })
    }

    fn set(&mut self, word: String, span: Range<usize>) -> Result<Expr, Mistake> {
        let (mut name, mut name_span, mut scope) = (word, span.clone(), None);
        if self.take_sign(":") {
            scope = field(&name);
            if scope.is_none() {
                let hint = format!("the fields are {}", NAMES.join(", "));
                let mistake = self.mistake(span.clone(), format!("there is no field `{name}`"), hint);
                self.mistakes.push(mistake);
            }
            name_span = self.here();
            match self.next() {
                Some(Token { kind: Kind::Word(word), .. }) if !RESERVED.contains(&word.as_str()) => {
                    name = word
                }
                _ => {
                    return Err(self.mistake(
                        name_span,
                        "a set's name is missing here",
                        "write `title:name`",
                    ));
                }
            }
        }
        let id = (self.resolve)(&name).unwrap_or_else(|hint| {
            let mistake = self.mistake(name_span.clone(), format!("there is no set `{name}`"), hint);
            self.mistakes.push(mistake);
            SetId::MAX
        });
        let (mut end, mut least) = (name_span.end, 1);
        if self.take_sign("#") {
            self.expect_sign(">=", "write `name#>=2`")?;
            let (number, span) = self.number("write `name#>=2`")?;
            (least, end) = (u32::try_from(number).unwrap_or(u32::MAX), span.end);
            if least == 0 {
                let mistake = self.mistake(span, "every article has at least none", "count from 1 up");
                self.mistakes.push(mistake);
            }
        }
        Ok(Expr { node: Node::Set { id, field: scope, least }, span: span.start..end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Expr, (String, String)> {
        let names = ["a", "b", "c"];
        let mut resolve = |name: &str| {
            names.iter().position(|known| *known == name).ok_or_else(|| "did you mean `a`?".to_owned())
        };
        parse(text, 8, &mut resolve).map_err(|mistakes| {
            (mistakes[0].what.clone(), text.get(mistakes[0].span.clone()).unwrap().to_owned())
        })
    }

    #[test]
    fn the_whole_grammar_parses() {
        for text in [
            "a",
            "a and b and not c",
            "a or (b and c)",
            "a near/12 b then/3 c",
            "(a or b) near c",
            "title:a same b",
            "a#>=2 and 2 of (a, title:b, c)",
            "score >= 12",
            "a and not (b or c)",
            "a away/5 b",
        ] {
            assert!(check(text).is_ok(), "{text}: {:?}", check(text));
        }
    }

    #[test]
    fn a_part_reaches_over_its_own_brackets_and_no_further() {
        let span = |text: &'static str| check(text).map(|expr| text.get(expr.span).unwrap().to_owned());
        for text in ["a near (b or c)", "(a or b) near c", "(a or b) and (b or c)", "not (a or b) and c"] {
            assert_eq!(span(text).as_deref(), Ok(text));
        }
        assert_eq!(span("((a near (b or c)))").as_deref(), Ok("a near (b or c)"));
    }

    #[test]
    fn mistakes_say_where() {
        for (text, what, at) in [
            ("a and b or c", "`and` and `or` are mixed without brackets", "or"),
            ("a or d", "there is no set `d`", "d"),
            ("not a", "this holds for articles in which nothing was found", "not a"),
            ("a or not b", "this holds for articles in which nothing was found", "not b"),
            ("a and", "something is missing at the end", "d"),
            ("a b", "the expression should end here", "b"),
            ("(a", "`)` is missing here", "a"),
            ("a near/x b", "a number is missing here", "x"),
            (
                "score >= 3 near/2 a",
                "`near` needs something that has a place in the text on both sides",
                "score >= 3",
            ),
            ("4 of (a, b)", "4 of 2 sets cannot decide anything", "4"),
            ("head:a", "there is no field `head`", "head"),
            ("a & b", "`&` means nothing here", "&"),
            ("a#>=0", "every article has at least none", "0"),
            ("score >= 0", "this holds for articles in which nothing was found", "score >= 0"),
        ] {
            assert_eq!(check(text), Err((what.to_owned(), at.to_owned())), "{text}");
        }
    }
}
