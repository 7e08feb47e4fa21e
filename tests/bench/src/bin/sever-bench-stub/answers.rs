//! The recorded answers, ready to be sent.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use sever_bench::person::{self, PLACEHOLDER, Section};

/// One answer of one call.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The bits of the entitlements that must be gone for it.
    once_gone: u32,
    /// The bits of the entitlements that are gone after it.
    pub(crate) ends: u32,
    pub(crate) status: u16,
    /// The body, cut where the user id goes.
    pieces: Vec<Bytes>,
}

impl Answer {
    /// The body with this user id in it.
    pub(crate) fn body(&self, user: &str) -> Bytes {
        let [only] = self.pieces.as_slice() else {
            return self.put_in(user);
        };
        only.clone()
    }

    fn put_in(&self, user: &str) -> Bytes {
        let length: usize = self.pieces.iter().map(Bytes::len).sum();
        let mut body = BytesMut::with_capacity(length + self.pieces.len() * user.len());
        for (position, piece) in self.pieces.iter().enumerate() {
            if position > 0 {
                body.extend_from_slice(user.as_bytes());
            }
            body.extend_from_slice(piece);
        }
        body.freeze()
    }
}

/// All answers, by method and path.
#[derive(Debug)]
pub(crate) struct Answers(HashMap<String, Vec<Answer>>);

impl Answers {
    /// The committed ones.
    pub(crate) fn recorded() -> Self {
        let sections = person::sections(person::ANSWERS);
        let mut names: Vec<&str> = sections
            .iter()
            .flat_map(|section| &section.ends)
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        names.dedup();
        let mut by_call: HashMap<String, Vec<Answer>> = HashMap::new();
        for section in &sections {
            let call = format!("{} {}", section.method, section.path);
            by_call
                .entry(call)
                .or_default()
                .push(answer(section, &names));
        }
        Self(by_call)
    }

    /// The answer to a call, `METHOD path` with the placeholder for the user id, when these entitlements are
    /// gone: the last recorded one that fits.
    pub(crate) fn of(&self, call: &str, gone: u32) -> Option<&Answer> {
        let fits = |answer: &&Answer| answer.once_gone & !gone == 0;
        self.0.get(call)?.iter().rev().find(fits)
    }
}

fn answer(section: &Section, names: &[&str]) -> Answer {
    let bits = |list: &[String]| {
        list.iter().fold(0, |bits, name| {
            let position = names.iter().position(|known| known == name);
            bits | 1 << position.expect("an answer waits only for what another one ends")
        })
    };
    Answer {
        once_gone: bits(&section.once_gone),
        ends: bits(&section.ends),
        status: section.status,
        pieces: section
            .body
            .split(PLACEHOLDER)
            .map(|piece| Bytes::copy_from_slice(piece.as_bytes()))
            .collect(),
    }
}
