//! Jobs as workers see them: instances, claims, epochs of work, settles and the sweep.

mod answers;
mod claim;
mod closed_connection;
mod epoch;
mod evidence;
mod guard;
pub mod instance;
mod intent;
mod load;
mod person;
mod restorable;
mod settle;
mod sweep;
mod types;

pub use claim::{Claimed, claim};
pub use epoch::{Advance, Advanced, IntendedStep, Record, advance, settle};
pub use person::person_attributes;
pub use restorable::{Restorable, restorable};
pub use settle::{DeadLetter, HoldRequest, Settled, Settlement};
pub use sweep::{broker_data_lost, sweep};
pub use types::{
    Affected, BindingJudgement, ClaimedJob, EffectAnswer, EffectOutcome, FamilyProof, GuardPolicy,
    InspectionPurpose, Lease, NewInspection, NewPlan, NewStep, ReadAccount, StepChange, StepName,
    StepVerdict, StoredBinding, StoredStep, Verification,
};
