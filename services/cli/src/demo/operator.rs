//! An operator at the command line: every order goes through `sever` itself, with a token of their own.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, bail};
use sever_api::Scope;

use crate::dev::fleet::Fleet;
use crate::dev::narrator::Narrator;

/// The most lines of an answer that are shown; a plan of 45 people is longer than anybody reads here.
const LINES_MAX: usize = 14;

/// Somebody with a token.
#[derive(Debug)]
pub(super) struct Operator {
    /// What to call them.
    name: &'static str,
    console: String,
    token_file: PathBuf,
    narrator: Narrator,
}

impl Operator {
    /// Whoever holds the fleet's first token.
    pub(super) fn first(fleet: &Fleet, narrator: Narrator) -> Self {
        Self {
            name: "operator",
            console: format!("http://{}", fleet.addresses.console),
            token_file: fleet.token_file.clone(),
            narrator,
        }
    }

    /// A second person, who gets a token of their own from the first one.
    ///
    /// # Errors
    /// Where the token cannot be made or kept.
    pub(super) async fn colleague(&self, fleet: &Fleet) -> anyhow::Result<Self> {
        let scopes = [
            Scope::HoldsRead,
            Scope::HoldsDecide,
            Scope::TasksRead,
            Scope::TasksDecide,
        ];
        let scopes = scopes.map(|scope| scope.as_str()).join(",");
        let words = ["token", "create", "--name", "colleague", "--scope", &scopes];
        let (_, token) = self.answered(&words).await?;
        Ok(Self {
            name: "colleague",
            console: self.console.clone(),
            token_file: fleet.home.write_private("colleague-token", token.trim())?,
            narrator: self.narrator,
        })
    }

    /// Gives an order, and shows it with its answer; `codes` are the statuses that it may end with.
    ///
    /// # Errors
    /// Where it ends with another one; the error holds its words.
    pub(super) async fn does(&self, words: &[&str], codes: &[i32]) -> anyhow::Result<String> {
        let quoted: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let order = format!("sever {}", quoted.join(" "));
        self.narrator.say(format!("\n{} $ {order}", self.name));
        let (code, answer) = self.answered(words).await?;
        for line in clipped(&answer) {
            self.narrator.say(format!("  {line}"));
        }
        if !codes.contains(&code) {
            bail!("'{order}' ended with status {code}: {answer}");
        }
        Ok(answer)
    }

    /// Gives an order and shows nothing of it.
    ///
    /// # Errors
    /// As [`Self::does`].
    pub(super) async fn does_in_silence(
        &self,
        words: &[&str],
        codes: &[i32],
    ) -> anyhow::Result<()> {
        let (code, answer) = self.answered(words).await?;
        if !codes.contains(&code) {
            bail!(
                "'sever {}' ended with status {code}: {answer}",
                words.join(" ")
            );
        }
        Ok(())
    }

    /// The status of an order with everything that it says.
    async fn answered(&self, words: &[&str]) -> anyhow::Result<(i32, String)> {
        let program = std::env::current_exe().context("finding this program's own file")?;
        let output = tokio::process::Command::new(program)
            .args(words)
            .env_clear()
            .env("SEVER_CONSOLE_URL", &self.console)
            .env("SEVER_TOKEN_FILE", &self.token_file)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("running 'sever {}'", words.join(" ")))?;
        let said = [output.stderr, output.stdout].concat();
        let code = output.status.code().context("the order was killed")?;
        Ok((code, String::from_utf8_lossy(&said).into_owned()))
    }
}

fn quoted(word: &str) -> String {
    if word.contains(' ') {
        format!("'{word}'")
    } else {
        word.to_owned()
    }
}

/// The lines that are shown.
fn clipped(answer: &str) -> Vec<String> {
    let lines: Vec<&str> = answer.trim_end().lines().collect();
    let mut shown: Vec<String> = lines
        .iter()
        .take(LINES_MAX)
        .map(|line| (*line).to_owned())
        .collect();
    if lines.len() > LINES_MAX {
        shown.push(format!("… {} more lines", lines.len() - LINES_MAX));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_is_cut_and_says_so() {
        let answer: Vec<String> = (1..=20).map(|number| format!("line {number}")).collect();
        let shown = clipped(&answer.join("\n"));
        assert_eq!(shown.len(), LINES_MAX + 1);
        assert_eq!(shown[LINES_MAX], "… 6 more lines");
        assert_eq!(clipped("one\n"), ["one"]);
        assert_eq!(quoted("left by mistake"), "'left by mistake'");
    }
}
