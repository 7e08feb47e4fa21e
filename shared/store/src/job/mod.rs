//! Jobs as workers see them: instances, claims, epochs of work, settles and the sweep.

mod answers;
mod bury;
mod claim;
mod closed_connection;
mod epoch;
mod evidence;
mod guard;
pub mod instance;
mod intent;
mod load;
mod person;
mod plan;
mod restorable;
mod settle;
mod settlement;
mod sweep;
mod types;

pub use claim::{Claimed, claim};
pub use epoch::{Advance, Advanced, IntendedStep, Record, advance, settle};
pub use person::person_attributes;
pub use restorable::{Restorable, restorable};
pub use settle::Settled;
pub use settlement::{DeadLetter, HoldRequest, Settlement};
pub use sweep::{broker_data_lost, sweep};
pub use types::{
    Affected, BindingJudgement, ClaimedJob, EffectAnswer, EffectOutcome, FamilyProof, GuardPolicy,
    InspectionPurpose, Lease, NewInspection, NewPlan, NewStep, ReadAccount, StepChange, StepName,
    StepVerdict, StoredBinding, StoredStep, Verification,
};
