//! The matrix: which cells there are, and which of them are run.

use std::fmt;
use std::str::FromStr;
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

impl FromStr for CellName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            format!(
                "'{text}' is no cell: write provider/person/row/call, such as okta/person/crash/17"
            )
        };
        let parts: Vec<&str> = text.split('/').collect();
        let [provider, kind, row, call] = parts[..] else {
            return Err(wrong());
        };
        Ok(Self {
            provider: provider.parse().map_err(|_| wrong())?,
            kind: Kind(kind.parse().map_err(|_| wrong())?),
            row: *Row::ALL
                .iter()
                .find(|known| known.as_str() == row)
                .ok_or_else(wrong)?,
            call: call.parse().map_err(|_| wrong())?,
        })
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
    /// One alone.
    One(CellName),
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
    if let Selection::One(only) = &matrix.selection
        && (only.provider != provider || only.kind.0 != kind)
    {
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
    fn select(&self, mut cells: Vec<CellName>) -> Vec<CellName> {
        match &self.selection {
            Selection::All => {}
            Selection::Sample(count) => shuffle(&mut cells, self.seed, *count),
            Selection::One(only) => {
                let name = only.to_string();
                cells.retain(|cell| cell.to_string() == name);
            }
        }
        cells
    }
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

    #[test]
    fn a_cell_is_named_and_found_by_its_name() {
        for row in Row::ALL {
            let name = format!("scim/person/{}/3", row.as_str());
            let cell: CellName = name.parse().unwrap();
            assert_eq!((cell.row, cell.to_string()), (*row, name));
        }
        assert!("okta/person/crash".parse::<CellName>().is_err());
    }

    #[test]
    fn the_same_seed_draws_the_same_cells() {
        let all: Vec<CellName> = (1..50)
            .map(|call| format!("okta/person/crash/{call}").parse().unwrap())
            .collect();
        let drawn = |seed| {
            let mut cells = all.clone();
            shuffle(&mut cells, seed, 5);
            cells.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        assert_eq!(drawn(7).len(), 5);
    }
}
