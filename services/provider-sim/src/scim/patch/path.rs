//! Paths of PATCH operations: `attrPath` or `attr "[" filter "]" ["." sub]`.

use crate::scim::attribute::AttrPath;
use crate::scim::error::Refusal;
use crate::scim::filter::Filter;

/// A path.
#[derive(Debug, Clone)]
pub struct PatchPath {
    /// The attribute; its sub-attribute may stand after the filter.
    pub attribute: AttrPath,
    /// Which values of it.
    pub filter: Option<Filter>,
}

impl PatchPath {
    /// Reads `text`.
    ///
    /// # Errors
    /// 400 `invalidPath`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let invalid = || Refusal::bad("invalidPath", format!("{text}: is no path"));
        let Some((attribute, rest)) = text.split_once('[') else {
            let attribute = AttrPath::parse(text).ok_or_else(invalid)?;
            return Ok(Self {
                attribute,
                filter: None,
            });
        };
        let (filter, sub) = rest.rsplit_once(']').ok_or_else(invalid)?;
        let mut attribute = AttrPath::parse(attribute).ok_or_else(invalid)?;
        attribute.sub = match sub.strip_prefix('.') {
            Some(sub) => Some(sub.to_owned()),
            None if sub.is_empty() => None,
            None => return Err(invalid()),
        };
        Ok(Self {
            attribute,
            filter: Some(Filter::parse(filter)?),
        })
    }

    /// Whether it begins with the attribute `name`.
    pub fn is(&self, name: &str) -> bool {
        self.attribute.schema.is_none() && self.attribute.name.eq_ignore_ascii_case(name)
    }
}
