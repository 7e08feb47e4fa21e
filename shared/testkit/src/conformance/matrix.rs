//! The matrix: which cells there are, and which of them are run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sever_domain::{Provider, SubjectKind};

use super::adaptor::{Adaptor, Kind};
use super::cell::Baseline;
use super::lane::{run_all, run_one};
use super::row::Row;
use super::simulator::Simulator;

/// One cell: `okta/person/crash/17`.
#[derive(Debug, Clone)]
pub struct CellName {
    /// The provider.
    pub provider: Provider,
    /// The kind of subject.
    pub kind: Kind,
    /// The row.
    pub row: Row,
    /// The call, from 1; 1 where the row has none.
    pub call: usize,
}

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            provider,
            kind,
            row,
            call,
        } = self;
        write!(f, "{provider}/{kind}/{}/{call}", row.as_str())
    }
}

/// What became of a cell.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Which.
    pub name: CellName,
    /// Why it failed.
    pub problem: Option<String>,
    /// How long it took.
    pub took: Duration,
}

/// Which cells are run.
#[derive(Debug, Clone)]
pub enum Selection {
    /// All of them.
    All,
    /// A clean run of each subject, and this many further cells of each, drawn by the seed.
    Sample(usize),
    /// Those whose names begin so: `okta/person/crash/17` is one cell, `scim` all of a provider.
    Only(String),
}

/// A run of the matrix.
#[derive(Debug)]
pub struct Conformance {
    seed: u64,
    selection: Selection,
    lanes: Vec<Arc<Simulator>>,
}

impl Conformance {
    /// Starts as many simulators as there are lanes, all with the seed.
    ///
    /// # Errors
    /// When a simulator does not start.
    pub async fn start(seed: u64, selection: Selection, lanes: usize) -> anyhow::Result<Self> {
        let mut started = Vec::with_capacity(lanes);
        for _ in 0..lanes.max(1) {
            started.push(Arc::new(Simulator::start(seed).await?));
        }
        Ok(Self {
            seed,
            selection,
            lanes: started,
        })
    }
}

/// Runs the selected cells of one provider.
///
/// # Errors
/// When a simulator breaks; a cell that fails is a result.
pub async fn run<A: Adaptor>(matrix: &Conformance, adaptor: A) -> anyhow::Result<Vec<Ran>> {
    let adaptor = Arc::new(adaptor);
    let mut ran = Vec::new();
    for kind in SubjectKind::ALL {
        ran.extend(run_kind(matrix, &adaptor, *kind).await?);
    }
    Ok(ran)
}

async fn run_kind<A: Adaptor>(
    matrix: &Conformance,
    adaptor: &Arc<A>,
    kind: SubjectKind,
) -> anyhow::Result<Vec<Ran>> {
    let provider = adaptor.provider();
    if !matrix.wants_any_of(&format!("{provider}/{}", Kind(kind))) {
        return Ok(Vec::new());
    }
    let Some(subject) = adaptor.subject(kind) else {
        return Ok(Vec::new());
    };
    let clean = CellName {
        provider,
        kind: Kind(kind),
        row: Row::Clean,
        call: 1,
    };
    let (first, baseline) = run_one(&**adaptor, &matrix.lanes[0], &clean, None).await;
    let mut ran = vec![first];
    let Some(baseline) = baseline else {
        return Ok(ran);
    };
    let rows = Row::ALL
        .iter()
        .filter(|row| **row != Row::Clean && row.concerns(&subject));
    let cells = cells(&clean, rows.copied(), &baseline);
    let selected = matrix.select(cells);
    ran.extend(run_all(adaptor, &matrix.lanes, selected, baseline).await?);
    Ok(ran)
}

fn cells(clean: &CellName, rows: impl Iterator<Item = Row>, baseline: &Baseline) -> Vec<CellName> {
    rows.flat_map(|row| {
        let calls = if row.has_calls() { baseline.calls } else { 1 };
        (1..=calls).map(move |call| CellName {
            row,
            call,
            ..clean.clone()
        })
    })
    .collect()
}

impl Conformance {
    /// Whether any cell of this provider and kind can be selected.
    fn wants_any_of(&self, subject: &str) -> bool {
        match &self.selection {
            Selection::All | Selection::Sample(_) => true,
            Selection::Only(only) => begins(only, subject) || begins(subject, only),
        }
    }

    fn select(&self, mut cells: Vec<CellName>) -> Vec<CellName> {
        match &self.selection {
            Selection::All => {}
            Selection::Sample(count) => shuffle(&mut cells, self.seed, *count),
            Selection::Only(only) => cells.retain(|cell| begins(&cell.to_string(), only)),
        }
        cells
    }
}

/// Whether a name begins with whole words of another one.
fn begins(name: &str, with: &str) -> bool {
    let rest = name.strip_prefix(with.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The first `count` of the cells, shuffled by the seed.
fn shuffle(cells: &mut Vec<CellName>, seed: u64, count: usize) {
    let mut keyed: Vec<(u64, CellName)> = cells
        .drain(..)
        .map(|cell| (key(seed, &cell.to_string()), cell))
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    cells.extend(keyed.into_iter().take(count).map(|(_, cell)| cell));
}

/// FNV-1a over the seed and the name, the same on every machine, with a final mix.
fn key(seed: u64, name: &str) -> u64 {
    let bytes = seed.to_le_bytes().into_iter().chain(name.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(row: Row, call: usize) -> CellName {
        let kind = Kind(SubjectKind::Person);
        CellName {
            provider: Provider::Okta,
            kind,
            row,
            call,
        }
    }

    #[test]
    fn a_cell_is_selected_by_the_words_that_its_name_begins_with() {
        let name = cell(Row::Crash, 17).to_string();
        assert_eq!(name, "okta/person/crash/17");
        for begin in [
            "okta",
            "okta/person/",
            "okta/person/crash",
            "okta/person/crash/17",
        ] {
            assert!(begins(&name, begin), "{begin}");
        }
        for other in [
            "okt",
            "okta/person/crash/1",
            "entra",
            "okta/person/crash/17/2",
        ] {
            assert!(!begins(&name, other), "{other}");
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_cells() {
        let drawn = |seed| {
            let mut cells: Vec<CellName> = (1..50).map(|call| cell(Row::Reset, call)).collect();
            shuffle(&mut cells, seed, 5);
            cells.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        assert_eq!(drawn(7).len(), 5);
    }
}
