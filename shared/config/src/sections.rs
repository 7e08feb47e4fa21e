//! One concern, and several concerns read together so that a service names all its problems in one start.

use crate::{ConfigErrors, Environment, Reader, Variable};

/// A struct of one concern that is read from the environment.
pub trait FromEnvironment: Sized {
    /// Every variable that [`FromEnvironment::read`] asks for; `_FILE` forms of secrets are implied.
    const VARIABLES: &'static [&'static Variable];

    /// Reads the struct; where the reader recorded a problem, the fields are stand-ins that must not be used.
    fn read(reader: &mut Reader<'_>) -> Self;

    /// Reads this concern alone.
    ///
    /// # Errors
    /// Every variable of this concern that is missing or wrong.
    fn from_environment(environment: &impl Environment) -> Result<Self, ConfigErrors> {
        let mut reader = Reader::new(environment);
        let value = Self::read(&mut reader);
        reader.finish(value)
    }
}

/// Several concerns read together: implemented for tuples of two to eight.
pub trait ReadAll: Sized {
    /// Reads each concern in order.
    fn read_each(reader: &mut Reader<'_>) -> Self;
}

/// Reads all concerns of a service at once.
///
/// # Errors
/// Every variable of any of the concerns that is missing or wrong.
pub fn read_all<T: ReadAll>(environment: &impl Environment) -> Result<T, ConfigErrors> {
    let mut reader = Reader::new(environment);
    let all = T::read_each(&mut reader);
    reader.finish(all)
}

macro_rules! read_all_of {
    ($($concern:ident)+) => {
        impl<$($concern: FromEnvironment),+> ReadAll for ($($concern,)+) {
            fn read_each(reader: &mut Reader<'_>) -> Self {
                ($($concern::read(reader),)+)
            }
        }
    };
}

read_all_of!(A B);
read_all_of!(A B C);
read_all_of!(A B C D);
read_all_of!(A B C D E);
read_all_of!(A B C D E F);
read_all_of!(A B C D E F G);
read_all_of!(A B C D E F G H);
